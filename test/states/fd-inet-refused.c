/*
 * sockets that cannot be made again, or not without rights
 * refused: descriptor 3 (UDP socket, port *): it is connected to port 9. Close it in beforeCheckpoint and open it again in afterRestore
 * refused: descriptor 4 (raw or ICMP socket, port *): it is of a kind (type 3, protocol 1) that needs rights. Close it in beforeCheckpoint and open it again in afterRestore
 * refused: descriptor 5 (UDP socket, port 0): it is bound to the network interface lo. Close it in beforeCheckpoint and open it again in afterRestore
 * refused: descriptor 6 (TCP socket, port 0): its packets carry a mark (SO_MARK). Close it in beforeCheckpoint and open it again in afterRestore
 * refused: descriptor 7 (UDP socket, port 0): its priority is above 6. Close it in beforeCheckpoint and open it again in afterRestore
 * refused: descriptor 8 (UDP socket, port 0): it has a packet filter (SO_ATTACH_FILTER). Close it in beforeCheckpoint and open it again in afterRestore
 * refused: descriptor 9: it sends signals (F_SETOWN, F_SETSIG or O_ASYNC). Switch asynchronous I/O off before the checkpoint
 */
#include <linux/filter.h>

#include "inet.h"

int main(void) {
  need(connect_to(AF_INET, SOCK_DGRAM, 9) == 3 && socket(AF_INET, SOCK_RAW, IPPROTO_ICMP) == 4);
  need(inet_socket(AF_INET, SOCK_DGRAM) == 5 && setsockopt(5, SOL_SOCKET, SO_BINDTODEVICE, "lo", 3) == 0);
  need(inet_socket(AF_INET, SOCK_STREAM) == 6 && inet_socket(AF_INET, SOCK_DGRAM) == 7);
  set(6, SOL_SOCKET, SO_MARK, 5);
  set(7, SOL_SOCKET, SO_PRIORITY, 7);
  struct sock_filter accept_all = {BPF_RET | BPF_K, 0, 0, 0xffff};
  struct sock_fprog program = {1, &accept_all};
  need(inet_socket(AF_INET, SOCK_DGRAM) == 8);
  need(setsockopt(8, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program) == 0);
  need(inet_socket(AF_INET, SOCK_DGRAM) == 9 && fcntl(9, F_SETOWN, getpid()) == 0);
  await_restore();
}
