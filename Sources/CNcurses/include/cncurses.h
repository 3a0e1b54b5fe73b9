// The C that Swift cannot say: a thin layer over ncursesw. Swift sees no curses type.
//
// One thread owns every call, but for the signal handlers inside. No logic lives here: what a frame
// holds, what a key means and when to draw is decided in Dashboard.
#ifndef CNCURSES_H
#define CNCURSES_H

#include <stdbool.h>
#include <stdint.h>

// Why the terminal did not open.
enum cn_status {
  CN_OPEN = 0,
  CN_NOT_A_TERMINAL = 1,  // stdin or stdout is a pipe or a file
  CN_DUMB = 2,            // no cursor addressing, or TERM is unset
  CN_UNKNOWN = 3,         // TERM has no terminfo entry
};

// One cell of a row: a character, a colour pair from cn_define_pair, and a CN_… mask.
// A scalar of 0 continues the wide character on its left.
typedef struct {
  uint32_t scalar;
  int32_t pair;
  uint32_t attributes;
} cn_cell;

enum { CN_BOLD = 1, CN_DIM = 2, CN_UNDERLINE = 4, CN_REVERSE = 8 };

enum cn_event_kind { CN_NONE = 0, CN_CHARACTER = 1, CN_KEY = 2, CN_MOUSE = 3 };

enum cn_key {
  CN_UP = 1,
  CN_DOWN,
  CN_LEFT,
  CN_RIGHT,
  CN_HOME,
  CN_END,
  CN_PAGE_UP,
  CN_PAGE_DOWN,
  CN_BACKSPACE,
  CN_DELETE,
  CN_BACK_TAB,
  CN_ENTER,
  CN_F1,
  CN_OTHER,
};

// code: a scalar, a cn_key, or a button as in SGR mouse reports (0 left, 64 and 65 the wheel).
typedef struct {
  int32_t kind;
  int32_t code;
  int32_t x;
  int32_t y;
} cn_event;

// What cn_wait saw.
enum { CN_INPUT_READY = 1, CN_SIGNAL_READY = 2, CN_STRAY_READY = 4, CN_HUNG_UP = 8 };

// Terminal signals that cn_next_signal reports, under names that Swift can switch over.
enum cn_signal {
  CN_NO_SIGNAL = 0,
  CN_INTERRUPT,
  CN_TERMINATE,
  CN_HANGUP,
  CN_RESIZE,
  CN_STOP,
  CN_CONTINUE,
};

// Tests the terminal without touching it.
int cn_check(void);
// Sets the locale's character type and says whether text is UTF-8. An environment that names no
// locale at all is taken for UTF-8.
bool cn_use_locale(void);
// Whether terminfo has an entry of this name.
bool cn_knows(const char *term);
// term names another terminfo entry to prefer over TERM; NULL for none.
int cn_open(const char *term, bool mouse);
void cn_close(void);
void cn_suspend(void);

void cn_size(int *width, int *height);
int cn_colours(void);
int cn_pairs(void);
bool cn_is_direct_colour(void);

// -1 is the terminal's own colour.
void cn_define_pair(int pair, int foreground, int background);
void cn_put_row(int y, const cn_cell *cells, int count);
void cn_show_cursor(bool shown, int y, int x);
void cn_flush(void);
void cn_repaint(void);
void cn_resize(void);

int cn_wait(int milliseconds);
cn_event cn_next_event(void);
int cn_next_signal(void);
// Text that something printed while the screen was ours; 0 when there is none.
int cn_read_stray(char *buffer, int size);

#endif
