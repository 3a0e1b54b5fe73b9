// The C that Swift cannot say: a thin layer over ncursesw. Swift sees no curses type.
//
// One thread owns every call, but for the signal handlers inside. No logic lives here: what a frame
// holds, what the bytes of the keyboard mean and when to draw is decided in Dashboard.
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

// Tests the terminal as one called term, without touching it; NULL where TERM is not set.
int cn_check(const char *term);
// Sets the locale's character type and says whether text is UTF-8. An environment that names no
// locale at all is taken for UTF-8.
bool cn_use_locale(void);
// Whether terminfo has an entry of this name.
bool cn_knows(const char *term);
// Whether this process belongs to the terminal's foreground, and may use it.
bool cn_is_foreground(void);
// From here on signals are reported; cn_open does it too. False without memory for it.
bool cn_watch(void);
// Begins to draw and read, as a terminal called term. To be called in the foreground. Whenever the
// terminal is given back, by a crash too, farewell is sent to it; follows asks for reports of its
// colours.
int cn_open(const char *term, bool mouse, bool follows, const char *farewell);
// Takes the screen again after another had it; the next frame has to be drawn whole.
void cn_take(void);
// The shell has the screen: nothing is drawn, read or put back any more.
void cn_lose(void);
void cn_close(void);
// Sends text as it is; nothing where the screen is not ours.
void cn_send(const char *text);
// Asks for mouse reports, or leaves the mouse to the terminal.
void cn_set_mouse(bool on);
// Stops until SIGCONT. The screen has to be taken again then.
void cn_suspend(void);

void cn_size(int *width, int *height);
// What the terminal sends for a key by terminfo's name of it, kcuu1 or the like; NULL for nothing.
const char *cn_key_text(const char *name);
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
// Bytes of the keyboard that are there now; 0 when there are none.
int cn_read(uint8_t *buffer, int size);
int cn_next_signal(void);
// Text that something printed while the screen was ours; 0 when there is none.
int cn_read_stray(char *buffer, int size);

#endif
