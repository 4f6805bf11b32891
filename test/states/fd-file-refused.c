/*
 * files that cannot be opened again as they were
 * refused: descriptor 3 (*log): it is open for writing. Allow it with a policy (action: reopen), close it in beforeCheckpoint, or log to stdout
 * refused: descriptor 4 (*gone): it was deleted, or never had a name. Close temporary files in beforeCheckpoint
 * refused: descriptor 5 (*): it was deleted, or never had a name. Close temporary files in beforeCheckpoint
 * refused: descriptor 6 (*log): it was opened with O_PATH. Close it in beforeCheckpoint
 * refused: descriptor 7 (*grows): it has 8 bytes now, not 4. Do not delete or change files that the app holds open
 * refused: descriptor 8 (/proc/meminfo): it is a file that the kernel makes. Close it in beforeCheckpoint and open it again in afterRestore
 * refused: descriptor 9 (/sys/kernel): it is a file that the kernel makes. Close it in beforeCheckpoint and open it again in afterRestore
 * before compile: printf more >> grows
 */
#include "state.h"

int main(void) {
  write_file("gone", "text", 4);
  write_file("grows", "text", 4);
  need(open("log", O_WRONLY | O_CREAT, 0666) == 3);
  need(open("gone", O_RDONLY) == 4 && unlink("gone") == 0);
  need(open(".", O_TMPFILE | O_RDWR, 0600) == 5);
  need(open("log", O_PATH) == 6);
  need(open("grows", O_RDONLY) == 7);
  need(open("/proc/meminfo", O_RDONLY) == 8 && open("/sys/kernel", O_RDONLY | O_DIRECTORY) == 9);
  await_restore();
}
