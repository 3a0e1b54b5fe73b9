// Only carries the pkg-config flags of ncursesw to CNcurses; Swift sees no curses type through it.
