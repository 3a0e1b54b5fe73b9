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

enum { MOUSE_PREFIX = 600 };  // our key code for the start of an SGR mouse report

static SCREEN *screen;
static WINDOW *keys;  // a private pad: wgetch on it never refreshes the screen
static int tty = -1;
static FILE *tty_in, *tty_out;
static bool mouse_wanted;
static struct termios saved_modes;
static int signal_pipe[2] = {-1, -1};
static int stray_pipe[2] = {-1, -1};
static int saved_stdout = -1, saved_stderr = -1;
static char restore_text[160];
// The last of what was printed while the screen was ours, told when it is given back.
static char kept[8192];
static volatile sig_atomic_t kept_size;
static volatile sig_atomic_t is_open;

static const int watched[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGWINCH, SIGTSTP, SIGCONT};
static const int fatal[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP, SIGABRT};
enum { WATCHED = sizeof watched / sizeof *watched, FATAL = sizeof fatal / sizeof *fatal };
static struct sigaction old_watched[WATCHED], old_fatal[FATAL];

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

// A crash must not leave the terminal raw, nor swallow its own message. Only calls that POSIX
// allows in a handler; SA_RESETHAND lets the fault happen again with the default action.
static void on_fatal(int number) {
  (void)number;
  if (!is_open) return;
  is_open = 0;
  send_text(tty, restore_text);
  tcsetattr(tty, TCSANOW, &saved_modes);
  int out = saved_stderr >= 0 ? saved_stderr : STDERR_FILENO;
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
  action.sa_flags = (int)SA_RESETHAND;
  action.sa_handler = on_fatal;
  for (int i = 0; i < FATAL; i++) sigaction(fatal[i], &action, &old_fatal[i]);
}

static void remove_handlers(void) {
  for (int i = 0; i < WATCHED; i++) sigaction(watched[i], &old_watched[i], NULL);
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

int cn_check(void) {
  if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO)) return CN_NOT_A_TERMINAL;
  const char *term = getenv("TERM");
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

static void set_mouse(bool on) {
  if (mouse_wanted) send_text(tty, on ? "\033[?1000h\033[?1006h" : "\033[?1006l\033[?1000l");
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

static void enter_modes(void) {
  cbreak();
  noecho();
  nonl();
  curs_set(0);
}

int cn_open(const char *term, bool mouse) {
  int status = cn_check();
  if (status != CN_OPEN) return status;
  if (!make_pipe(signal_pipe) || !make_pipe(stray_pipe)) return CN_UNKNOWN;
  tty = dup(STDOUT_FILENO);
  fcntl(tty, F_SETFD, FD_CLOEXEC);
  tcgetattr(tty, &saved_modes);
  tty_out = fdopen(dup(tty), "w");
  tty_in = fdopen(dup(STDIN_FILENO), "r");
  // Either in the environment would freeze the size.
  unsetenv("LINES");
  unsetenv("COLUMNS");
  // Before newterm: ncurses installs handlers that call _exit only where none is set.
  install_handlers();
  screen = term != NULL ? newterm(term, tty_out, tty_in) : NULL;
  if (screen == NULL) screen = newterm(NULL, tty_out, tty_in);
  if (screen == NULL) {
    remove_handlers();
    return CN_UNKNOWN;
  }
  if (!is_set("ESCDELAY")) set_escdelay(25);
  enter_modes();
  if (has_colors()) {
    start_color();
    use_default_colors();
  }
  char *report = tigetstr("kmous");
  mouse_wanted = mouse && report != NULL && report != (char *)-1;
  keys = newpad(1, 1);
  keypad(keys, TRUE);
  // Keys typed while the program was being built or started are not meant for the search.
  flushinp();
  nodelay(keys, TRUE);
  // Reports are always asked for in SGR form; the entry may describe the old one.
  define_key(NULL, KEY_MOUSE);
  define_key("\033[<", MOUSE_PREFIX);
  strcpy(restore_text, "\033[?2026l\033[?1006l\033[?1000l");
  append_capability("sgr0");
  append_capability("cnorm");
  append_capability("rmcup");
  static bool registered;
  if (!registered) atexit(cn_close);
  registered = true;
  is_open = 1;
  set_mouse(true);
  capture_output();
  werase(stdscr);
  clearok(stdscr, TRUE);
  wnoutrefresh(stdscr);
  doupdate();
  return CN_OPEN;
}

void cn_close(void) {
  if (!is_open) return;
  is_open = 0;
  set_mouse(false);
  endwin();
  release_output();
  write_kept(STDERR_FILENO);
  tcsetattr(tty, TCSANOW, &saved_modes);
  remove_handlers();
}

void cn_suspend(void) {
  set_mouse(false);
  endwin();
  // The default action, so that an orphaned process group (nobody to type fg) is not frozen.
  signal(SIGTSTP, SIG_DFL);
  raise(SIGTSTP);
  struct sigaction action;
  memset(&action, 0, sizeof action);
  sigemptyset(&action.sa_mask);
  action.sa_flags = SA_RESTART;
  action.sa_handler = on_signal;
  sigaction(SIGTSTP, &action, NULL);
  cn_resize();
  cn_repaint();
  set_mouse(true);
}

// MARK: Capabilities

void cn_size(int *width, int *height) {
  *width = getmaxx(stdscr);
  *height = getmaxy(stdscr);
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
      {.fd = STDIN_FILENO, .events = POLLIN},
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

static cn_event read_mouse(void) {
  cn_event event = {CN_NONE, 0, 0, 0};
  int values[3] = {0, 0, 0};
  int at = 0;
  wtimeout(keys, 25);
  for (int i = 0; i < 24; i++) {
    wint_t c;
    if (wget_wch(keys, &c) != OK) break;
    if (c >= '0' && c <= '9') {
      values[at] = values[at] * 10 + (int)(c - '0');
    } else if (c == ';' && at < 2) {
      at++;
    } else {
      if (c == 'M') event = (cn_event){CN_MOUSE, values[0], values[1] - 1, values[2] - 1};
      break;
    }
  }
  nodelay(keys, TRUE);
  return event;
}

cn_event cn_next_event(void) {
  wint_t c;
  int kind = wget_wch(keys, &c);
  if (kind == ERR) return (cn_event){CN_NONE, 0, 0, 0};
  if (kind == OK) return (cn_event){CN_CHARACTER, (int32_t)c, 0, 0};
  int code = CN_OTHER;
  switch (c) {
    case MOUSE_PREFIX: {
      cn_event event = read_mouse();
      // Never CN_NONE here: the caller takes that for an empty queue.
      return event.kind == CN_NONE ? (cn_event){CN_KEY, CN_OTHER, 0, 0} : event;
    }
    case KEY_UP: code = CN_UP; break;
    case KEY_DOWN: code = CN_DOWN; break;
    case KEY_LEFT: code = CN_LEFT; break;
    case KEY_RIGHT: code = CN_RIGHT; break;
    case KEY_HOME: code = CN_HOME; break;
    case KEY_END: code = CN_END; break;
    case KEY_PPAGE: code = CN_PAGE_UP; break;
    case KEY_NPAGE: code = CN_PAGE_DOWN; break;
    case KEY_BACKSPACE: code = CN_BACKSPACE; break;
    case KEY_DC: code = CN_DELETE; break;
    case KEY_BTAB: code = CN_BACK_TAB; break;
    case KEY_ENTER: code = CN_ENTER; break;
    case KEY_F(1): code = CN_F1; break;
    default: break;
  }
  return (cn_event){CN_KEY, code, 0, 0};
}

int cn_read_stray(char *buffer, int size) {
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
