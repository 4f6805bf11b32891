/*
 * kinds of descriptors of which nothing is restored
 * refused: descriptor 3 (FIFO): it cannot be restored. Close it in beforeCheckpoint and open it again in afterRestore
 * refused: descriptor 4 (inotify): it cannot be restored. Close file watchers (WatchService) in beforeCheckpoint and make new ones in afterRestore
 * refused: descriptor 5 (signalfd): it cannot be restored. Close it in beforeCheckpoint
 * refused: descriptor 6 (packet socket): it cannot be restored. Close it in beforeCheckpoint
 * refused: descriptor 7 (fanotify): it cannot be restored. Close it in beforeCheckpoint
 * refused: descriptor 8 (netlink socket): it cannot be restored. Close it in beforeCheckpoint
 * refused: descriptor 9 (memfd): it cannot be restored. Close it in beforeCheckpoint; choose a collector other than ZGC
 * refused: descriptor 10 (pidfd): it cannot be restored. Close it in beforeCheckpoint
 * refused: descriptor 11 (namespace): it cannot be restored. Close it in beforeCheckpoint
 */
#include <linux/netlink.h>
#include <net/ethernet.h>
#include <netinet/in.h>
#include <netpacket/packet.h>
#include <signal.h>
#include <sys/fanotify.h>
#include <sys/inotify.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "state.h"

int main(void) {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGUSR1);
  need(mkfifo("fifo", 0600) == 0 && open("fifo", O_RDWR) == 3);
  need(inotify_init1(0) == 4 && inotify_add_watch(4, ".", IN_CREATE) >= 0);
  need(signalfd(-1, &signals, 0) == 5);
  need(socket(AF_PACKET, SOCK_DGRAM, htons(ETH_P_IP)) == 6);
  need(fanotify_init(FAN_CLASS_NOTIF, O_RDONLY) == 7);
  need(socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE) == 8);
  need(memfd_create("memory", 0) == 9);
  need(syscall(SYS_pidfd_open, getpid(), 0) == 10);
  need(open("/proc/self/ns/uts", O_RDONLY) == 11);
  await_restore();
}
