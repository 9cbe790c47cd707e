/* Times a line written to a running command until a line comes out of the same command (a receipt) or of a second,
   waiting one (a delivery). One line is in flight at a time, and this program wakes up once per line.

   roundtrip LINES WARMUP PER_SECOND -- A … [-- B …] < lines     prints microseconds, one line per line
   PER_SECOND 0: the next line follows at once. The second command gets SIGTERM at the end. */
#include "common.h"
#include <signal.h>

static pid_t running[2];

static void end_them(void) {
  for (int i = 0; i < 2; i++)
    if (running[i] > 0) kill(running[i], SIGKILL);
}

static void give_up(int signal) {
  static const char text[] = "roundtrip: ended, or no answer in 20 s\n";
  end_them();
  _exit(write(2, text, sizeof text - 1) < 0 ? 2 : signal != 0);
}

int main(int argc, char **argv) {
  char **command[2];
  int count = commands(argv, command, 2), to[2], from[2];
  if (argc < 6 || !count) return 64;
  int lines = atoi(argv[1]), warmup = atoi(argv[2]), rate = atoi(argv[3]);
  size_t size;
  const char *first = whole(&size), *end = first + size, *p = first;
  static char buffer[1 << 16];
  signal(SIGALRM, give_up);
  signal(SIGTERM, give_up);
  atexit(end_them);
  signal(SIGPIPE, SIG_IGN);
  if (pipe2(to, O_CLOEXEC) || pipe2(from, O_CLOEXEC)) die("pipe");
  int null = open("/dev/null", O_RDWR | O_CLOEXEC);
  if (count == 2) running[1] = start(command[1], null, from[1]);
  running[0] = start(command[0], to[0], count == 2 ? null : from[1]);
  close(to[0]);
  close(from[1]);
  double *took = calloc(lines + 1, sizeof *took), next = now() + 0.5;
  for (int i = -warmup; i < lines; i++) {
    if (p == end) p = first;
    size_t n = line_at(p, end);
    if (rate) {
      struct timespec t = {(time_t)next, (long)((next - (time_t)next) * 1e9)};
      clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, 0);
      next += 1.0 / rate;
    }
    alarm(20);
    double begin = now();
    write_all(to[1], p, n);
    size_t used = 0;
    while (!used || buffer[used - 1] != '\n') {
      ssize_t k = read(from[0], buffer + used, sizeof buffer - used);
      if (k <= 0) die("the command ended early");
      used += k;
    }
    if (i >= 0) took[i] = now() - begin;
    if (count == 2 && (used != n || memcmp(buffer, p, n))) {
      fprintf(stderr, "roundtrip: the line that came out is not the one sent\n");
      return 1;
    }
    p += n;
  }
  close(to[1]);
  for (int i = 0; i < count; i++) {
    pid_t pid = running[i];
    running[i] = 0;
    if (i == 1) kill(pid, SIGTERM);
    settle(pid, command[i][0]);
  }
  for (int i = 0; i < lines; i++) printf("%.1f\n", took[i] * 1e6);
  return 0;
}
