// Prints a token of ours. Usage: sign SECRET CLAIMS
#include <exception>
#include <iostream>

#include "crypto/token.h"

int main(int argc, char** argv) try {
  if (argc != 3) return 2;
  std::cout << restante::sign_hs256(argv[2], argv[1]) << '\n';
  return 0;
} catch (const std::exception& error) {
  std::cerr << error.what() << '\n';
  return 1;
}
