// Keeps Mosquitto from hanging under a sanitizer. That looks for this symbol when it starts; in
// Mosquitto it starts in the midst of a library's bindtextdomain(), which holds a lock, and not finding the
// symbol it asks for the error's text, which takes that lock again and leaves it broken. What is found needs
// no text.
char* swift_demangle(const char* name) {
  (void)name;
  return 0;
}
