/*
 * sockets that cannot be made again, or not without rights
 * refused: descriptor 3 (UDP socket, port *): it is connected to port 9. Close it in beforeCheckpoint and open it again in afterRestore
 * refused: descriptor 4 (raw or ICMP socket, port *): it is of a kind (type 3, protocol 1) that needs rights. Close it in beforeCheckpoint and open it again in afterRestore
 * refused: descriptor 5 (UDP socket, port 0): it is bound to the network interface lo. Close it in beforeCheckpoint and open it again in afterRestore
 * refused: descriptor 6 (TCP socket, port 0): its packets carry a mark (SO_MARK). Close it in beforeCheckpoint and open it again in afterRestore
 * refused: descriptor 7 (UDP socket, port 0): its priority is above 6. Close it in beforeCheckpoint and open it again in afterRestore
 * refused: descriptor 8 (UDP socket, port 0): it has a packet filter (SO_ATTACH_FILTER). Close it in beforeCheckpoint and open it again in afterRestore
 * refused: descriptor 9: it sends signals (F_SETOWN, F_SETSIG or O_ASYNC). Switch asynchronous I/O off before the checkpoint
 * refused: descriptor 10 (UDP socket, port *): it is a member of the multicast group 239.77.1.2. Leave the group in beforeCheckpoint and join it again in afterRestore
 * refused: descriptor 11 (UDP socket, port *): it is a member of the multicast group ff02::7:8. Leave the group in beforeCheckpoint and join it again in afterRestore
 * refused: descriptor 12 (TCP socket, port *): it is transparent (IP_TRANSPARENT). Close it in beforeCheckpoint and open it again in afterRestore
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
  struct ip_mreqn v4 = {{htonl(0xef4d0102)}, {htonl(INADDR_LOOPBACK)}, 0};
  struct ipv6_mreq v6 = {{.s6_addr = {0xff, 2, [13] = 7, [15] = 8}}, 1};
  need(inet_socket(AF_INET, SOCK_DGRAM) == 10 && setsockopt(10, IPPROTO_IP, IP_ADD_MEMBERSHIP, &v4, sizeof v4) == 0);
  need(inet_socket(AF_INET6, SOCK_DGRAM) == 11 && setsockopt(11, IPPROTO_IPV6, IPV6_ADD_MEMBERSHIP, &v6, sizeof v6) == 0);
  need(inet_socket(AF_INET, SOCK_STREAM) == 12);
  set(12, IPPROTO_IP, IP_TRANSPARENT, 1);
  await_restore();
}
