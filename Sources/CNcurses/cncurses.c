// Wide calls of curses.h appear only with this defined before the include.
#define _XOPEN_SOURCE_EXTENDED 1
#ifdef __APPLE__
#define _DARWIN_C_SOURCE 1
#endif

#include "cncurses.h"

#include <curses.h>
#include <errno.h>
#include <fcntl.h>
#include <langinfo.h>
#include <locale.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <term.h>
#include <termios.h>
#include <unistd.h>
#include <wchar.h>

static SCREEN *screen;
static int tty = -1;
static FILE *tty_in, *tty_out;
// Reports that are wanted: of the mouse, and of a change between dark and light.
static bool mouse_wanted, sends_mouse, follows_scheme;
static char farewell_text[200];
static struct termios saved_modes;
static int signal_pipe[2] = {-1, -1};
static int stray_pipe[2] = {-1, -1};
static int saved_stdout = -1, saved_stderr = -1;
static char restore_text[600];
// The last of what was printed while the screen was ours, printed when it is given back.
static char kept[8192];
static volatile sig_atomic_t kept_size;
// is_open: the curses are begun and the output is captured. is_taken: the screen is ours as well, which it
// is not while the shell has it.
static volatile sig_atomic_t is_open, is_taken;
static bool is_watching;

static const int watched[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGWINCH, SIGTSTP, SIGCONT};
// What would stop a job of the background, and its training, over a terminal that is not its own.
static const int background[] = {SIGTTIN, SIGTTOU};
static const int fatal[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP, SIGABRT};
enum {
  WATCHED = sizeof watched / sizeof *watched,
  BACKGROUND = sizeof background / sizeof *background,
  FATAL = sizeof fatal / sizeof *fatal
};
static struct sigaction old_watched[WATCHED], old_background[BACKGROUND], old_fatal[FATAL];

static void send_text(int fd, const char *text) {
  size_t left = strlen(text);
  while (left > 0) {
    ssize_t n = write(fd, text, left);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return;
    text += n;
    left -= (size_t)n;
  }
}

static void write_kept(int fd) {
  for (int at = 0; at < kept_size;) {
    ssize_t n = write(fd, kept + at, (size_t)(kept_size - at));
    if (n <= 0) break;
    at += (int)n;
  }
  kept_size = 0;
}

// MARK: Signals

static void on_signal(int number) {
  int saved = errno;
  unsigned char byte = (unsigned char)number;
  ssize_t ignored = write(signal_pipe[1], &byte, 1);
  (void)ignored;
  errno = saved;
}

static const char *crash_text(int number) {
  switch (number) {
    case SIGSEGV: return "supertop: crashed by SIGSEGV\n";
    case SIGBUS: return "supertop: crashed by SIGBUS\n";
    case SIGILL: return "supertop: crashed by SIGILL\n";
    case SIGFPE: return "supertop: crashed by SIGFPE\n";
    case SIGTRAP: return "supertop: crashed by SIGTRAP\n";
    default: return "supertop: crashed by SIGABRT\n";
  }
}

static void restore_after(int number);

// A crash must not leave the terminal raw, nor swallow its own message. Only calls that POSIX
// allows in a handler; SA_RESETHAND lets the signal, sent again, take its default action. A fault
// would happen again by itself, a signal that somebody sent would not.
static void on_fatal(int number) {
  if (is_open) restore_after(number);
  raise(number);
}

static void restore_after(int number) {
  is_open = 0;
  if (is_taken) {
    send_text(tty, restore_text);
    tcsetattr(tty, TCSANOW, &saved_modes);
  }
  int out = saved_stderr >= 0 ? saved_stderr : STDERR_FILENO;
  send_text(out, crash_text(number));
  write_kept(out);
  char buffer[512];
  ssize_t n;
  while ((n = read(stray_pipe[0], buffer, sizeof buffer)) > 0) {
    ssize_t ignored = write(out, buffer, (size_t)n);
    (void)ignored;
  }
  if (saved_stderr >= 0) dup2(saved_stderr, STDERR_FILENO);
  if (saved_stdout >= 0) dup2(saved_stdout, STDOUT_FILENO);
}

static void install_handlers(void) {
  struct sigaction action;
  memset(&action, 0, sizeof action);
  sigemptyset(&action.sa_mask);
  action.sa_flags = SA_RESTART;
  action.sa_handler = on_signal;
  for (int i = 0; i < WATCHED; i++) sigaction(watched[i], &action, &old_watched[i]);
  action.sa_handler = SIG_IGN;
  for (int i = 0; i < BACKGROUND; i++) sigaction(background[i], &action, &old_background[i]);
  action.sa_flags = (int)SA_RESETHAND;
  action.sa_handler = on_fatal;
  for (int i = 0; i < FATAL; i++) sigaction(fatal[i], &action, &old_fatal[i]);
}

static void remove_handlers(void) {
  for (int i = 0; i < WATCHED; i++) sigaction(watched[i], &old_watched[i], NULL);
  for (int i = 0; i < BACKGROUND; i++) sigaction(background[i], &old_background[i], NULL);
  for (int i = 0; i < FATAL; i++) sigaction(fatal[i], &old_fatal[i], NULL);
}

int cn_next_signal(void) {
  unsigned char number;
  while (read(signal_pipe[0], &number, 1) == 1) {
    switch (number) {
      case SIGINT: return CN_INTERRUPT;
      case SIGTERM:
      case SIGQUIT: return CN_TERMINATE;
      case SIGHUP: return CN_HANGUP;
      case SIGWINCH: return CN_RESIZE;
      case SIGTSTP: return CN_STOP;
      case SIGCONT: return CN_CONTINUE;
      default: break;
    }
  }
  return CN_NO_SIGNAL;
}

// MARK: Life

int cn_check(const char *term) {
  if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO)) return CN_NOT_A_TERMINAL;
  if (term == NULL || *term == 0 || strcmp(term, "dumb") == 0) return CN_DUMB;
  int error = 0;
  if (setupterm(term, STDOUT_FILENO, &error) != OK) return CN_UNKNOWN;
  char *cup = tigetstr("cup");
  return cup == NULL || cup == (char *)-1 ? CN_DUMB : CN_OPEN;
}

bool cn_knows(const char *term) {
  int error = 0;
  return setupterm(term, STDOUT_FILENO, &error) == OK;
}

static bool is_set(const char *name) {
  const char *value = getenv(name);
  return value != NULL && *value != 0;
}

bool cn_use_locale(void) {
  // LC_CTYPE alone: a decimal comma must not leak into numbers.
  if (!is_set("LC_ALL") && !is_set("LC_CTYPE") && !is_set("LANG")) {
    if (setlocale(LC_CTYPE, "C.UTF-8") == NULL) setlocale(LC_CTYPE, "en_US.UTF-8");
  } else {
    setlocale(LC_CTYPE, "");
  }
  return strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
}

static bool make_pipe(int ends[2]) {
  if (pipe(ends) != 0) return false;
  for (int i = 0; i < 2; i++) {
    fcntl(ends[i], F_SETFL, O_NONBLOCK);
    fcntl(ends[i], F_SETFD, FD_CLOEXEC);
  }
  return true;
}

static void append_capability(const char *name) {
  char *text = tigetstr(name);
  if (text == NULL || text == (char *)-1) return;
  size_t used = strlen(restore_text);
  if (used + strlen(text) < sizeof restore_text) strcpy(restore_text + used, text);
}

// Presses, and moves with a button held, with columns beyond 223.
static void send_mouse(bool on) {
  send_text(tty, on ? "\033[?1000h\033[?1002h\033[?1006h" : "\033[?1006l\033[?1002l\033[?1000l");
}

// Mouse reports, marks around what is pasted, and reports of a change between dark and light.
static void set_reports(bool on) {
  if (mouse_wanted) send_mouse(on);
  send_text(tty, on ? "\033[?2004h" : "\033[?2004l");
  if (follows_scheme) send_text(tty, on ? "\033[?2031h" : "\033[?2031l");
  if (!on) send_text(tty, farewell_text);
}

void cn_send(const char *text) {
  if (is_taken) send_text(tty, text);
}

void cn_set_mouse(bool on) {
  if (!sends_mouse || on == mouse_wanted) return;
  mouse_wanted = on;
  if (is_taken) send_mouse(on);
}

// Prints by anything else go to a pipe: they would wreck the screen.
static void capture_output(void) {
  fflush(stdout);
  fflush(stderr);
  saved_stdout = dup(STDOUT_FILENO);
  dup2(stray_pipe[1], STDOUT_FILENO);
  if (isatty(STDERR_FILENO)) {
    saved_stderr = dup(STDERR_FILENO);
    dup2(stray_pipe[1], STDERR_FILENO);
  }
}

static void release_output(void) {
  fflush(stdout);
  fflush(stderr);
  if (saved_stdout >= 0) {
    dup2(saved_stdout, STDOUT_FILENO);
    close(saved_stdout);
  }
  if (saved_stderr >= 0) {
    dup2(saved_stderr, STDERR_FILENO);
    close(saved_stderr);
  }
  saved_stdout = saved_stderr = -1;
}

bool cn_watch(void) {
  if (is_watching) return true;
  if (!make_pipe(signal_pipe) || !make_pipe(stray_pipe)) return false;
  install_handlers();
  return is_watching = true;
}

bool cn_is_foreground(void) {
  // No answer: no job control here, so nobody else has the terminal.
  pid_t group = tcgetpgrp(STDIN_FILENO);
  return group < 0 || group == getpgrp();
}

int cn_open(const char *term, bool mouse, bool follows, const char *farewell) {
  int status = cn_check(term);
  if (status != CN_OPEN) return status;
  // Before newterm: ncurses installs handlers that call _exit only where none is set.
  if (!cn_watch()) return CN_UNKNOWN;
  tty = dup(STDOUT_FILENO);
  fcntl(tty, F_SETFD, FD_CLOEXEC);
  tcgetattr(tty, &saved_modes);
  tty_out = fdopen(dup(tty), "w");
  tty_in = fdopen(dup(STDIN_FILENO), "r");
  // Either in the environment would freeze the size.
  unsetenv("LINES");
  unsetenv("COLUMNS");
  screen = newterm(term, tty_out, tty_in);
  if (screen == NULL) return CN_UNKNOWN;
  cbreak();
  noecho();
  nonl();
  curs_set(0);
  if (has_colors()) {
    start_color();
    use_default_colors();
  }
  char *report = tigetstr("kmous");
  sends_mouse = report != NULL && report != (char *)-1;
  mouse_wanted = mouse && sends_mouse;
  follows_scheme = follows;
  strncpy(farewell_text, farewell, sizeof farewell_text - 1);
  // Keys are then sent as terminfo has them.
  keypad(stdscr, TRUE);
  // Input is not read through curses, so what waits there must not hold up a frame.
  typeahead(-1);
  // Keys typed while the program was being built or started are not meant for the search.
  tcflush(STDIN_FILENO, TCIFLUSH);
  // All of them, whatever is on at the time: a handler has no time to look.
  strcpy(restore_text, "\033[?2026l\033[?2031l\033[?2004l\033[?1006l\033[?1002l\033[?1000l");
  strcat(restore_text, farewell_text);
  append_capability("rmkx");
  append_capability("sgr0");
  append_capability("cnorm");
  append_capability("rmcup");
  static bool registered;
  if (!registered) atexit(cn_close);
  registered = true;
  is_open = is_taken = 1;
  set_reports(true);
  capture_output();
  werase(stdscr);
  clearok(stdscr, TRUE);
  wnoutrefresh(stdscr);
  doupdate();
  return CN_OPEN;
}

void cn_take(void) {
  // Whoever had the terminal left it in modes of his own; the next frame sets ours again.
  if (!isendwin()) endwin();
  is_taken = 1;
  set_reports(true);
  cn_resize();
}

void cn_lose(void) { is_taken = 0; }

void cn_close(void) {
  if (is_open) {
    is_open = 0;
    if (is_taken) {
      set_reports(false);
      endwin();
    }
    release_output();
    write_kept(STDERR_FILENO);
    if (is_taken) tcsetattr(tty, TCSANOW, &saved_modes);
    is_taken = 0;
  }
  if (is_watching) remove_handlers();
  is_watching = false;
}

void cn_suspend(void) {
  if (is_taken) {
    set_reports(false);
    endwin();
    is_taken = 0;
  }
  // The default action, so that an orphaned process group (nobody to type fg) is not frozen.
  struct sigaction watching;
  sigaction(SIGTSTP, NULL, &watching);
  signal(SIGCONT, SIG_DFL);
  signal(SIGTSTP, SIG_DFL);
  raise(SIGTSTP);
  sigaction(SIGTSTP, &watching, NULL);
  sigaction(SIGCONT, &watching, NULL);
}

// MARK: Capabilities

void cn_size(int *width, int *height) {
  *width = getmaxx(stdscr);
  *height = getmaxy(stdscr);
}

const char *cn_key_text(const char *name) {
  char *text = tigetstr(name);
  return text == (char *)-1 ? NULL : text;
}

int cn_colours(void) { return has_colors() ? COLORS : 0; }
int cn_pairs(void) { return has_colors() ? COLOR_PAIRS : 0; }
bool cn_is_direct_colour(void) { return has_colors() && COLORS >= 1 << 24; }

// MARK: Drawing

void cn_define_pair(int pair, int foreground, int background) {
  init_extended_pair(pair, foreground, background);
}

void cn_put_row(int y, const cn_cell *cells, int count) {
  cchar_t row[count > 0 ? count : 1];
  int n = 0;
  for (int i = 0; i < count; i++) {
    if (cells[i].scalar == 0) continue;
    attr_t attributes = A_NORMAL;
    if (cells[i].attributes & CN_BOLD) attributes |= A_BOLD;
    if (cells[i].attributes & CN_DIM) attributes |= A_DIM;
    if (cells[i].attributes & CN_UNDERLINE) attributes |= A_UNDERLINE;
    if (cells[i].attributes & CN_REVERSE) attributes |= A_REVERSE;
    // COLOR_PAIR has eight bits; setcchar takes the pair apart from the attributes.
    wchar_t text[2] = {(wchar_t)cells[i].scalar, 0};
    setcchar(&row[n++], text, attributes, (short)cells[i].pair, NULL);
  }
  // A row at once may fill the lower right cell; single characters cannot.
  mvwadd_wchnstr(stdscr, y, 0, row, n);
}

void cn_show_cursor(bool shown, int y, int x) {
  if (shown) wmove(stdscr, y, x);
  leaveok(stdscr, !shown);
  curs_set(shown ? 1 : 0);
}

void cn_flush(void) {
  // Synchronised output: the terminal shows the frame whole.
  send_text(tty, "\033[?2026h");
  wnoutrefresh(stdscr);
  doupdate();
  send_text(tty, "\033[?2026l");
}

void cn_repaint(void) { clearok(stdscr, TRUE); }

void cn_resize(void) {
  struct winsize size;
  if (ioctl(tty, TIOCGWINSZ, &size) == 0 && size.ws_row > 0 && size.ws_col > 0)
    resizeterm(size.ws_row, size.ws_col);
  clearok(stdscr, TRUE);
}

// MARK: Input

int cn_wait(int milliseconds) {
  struct pollfd fds[3] = {
      // What is typed while the shell has the terminal is not ours.
      {.fd = STDIN_FILENO, .events = is_taken ? POLLIN : 0},
      {.fd = signal_pipe[0], .events = POLLIN},
      {.fd = stray_pipe[0], .events = POLLIN},
  };
  if (poll(fds, 3, milliseconds) <= 0) return 0;
  int seen = 0;
  if (fds[0].revents & POLLIN) seen |= CN_INPUT_READY;
  if (fds[1].revents & POLLIN) seen |= CN_SIGNAL_READY;
  if (fds[2].revents & POLLIN) seen |= CN_STRAY_READY;
  if (fds[0].revents & (POLLHUP | POLLERR | POLLNVAL)) seen |= CN_HUNG_UP;
  return seen;
}

int cn_read(uint8_t *buffer, int size) {
  struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
  if (!is_taken || poll(&input, 1, 0) <= 0 || !(input.revents & POLLIN)) return 0;
  ssize_t n = read(STDIN_FILENO, buffer, (size_t)size);
  return n > 0 ? (int)n : 0;
}

int cn_read_stray(char *buffer, int size) {
  if (!is_open) return 0;
  ssize_t n = read(stray_pipe[0], buffer, (size_t)size);
  if (n <= 0) return 0;
  int count = (int)n < (int)sizeof kept ? (int)n : (int)sizeof kept;
  int room = (int)sizeof kept - count;
  if (kept_size > room) {
    memmove(kept, kept + kept_size - room, (size_t)room);
    kept_size = room;
  }
  memcpy(kept + kept_size, buffer + n - count, (size_t)count);
  kept_size += count;
  return (int)n;
}
