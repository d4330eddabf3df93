// Writes the first corpus of fuzz-loader to a folder.

#include <filesystem>
#include <fstream>
#include <iostream>
#include <string>

#include "file_builder.h"

int main(int argc, char** argv) {
  if (argc != 2) {
    std::cerr << "usage: write-seeds FOLDER\n";
    return 2;
  }
  const std::filesystem::path folder = argv[1];
  std::filesystem::create_directories(folder);
  const std::string whole = ingot::testing::sample_file();
  const auto write = [&](const char* name, const std::string& bytes) {
    std::ofstream(folder / name, std::ios::binary) << bytes;
  };
  write("whole", whole);
  write("empty_program", ingot::testing::FileBuilder().finish());
  write("header_only", whole.substr(0, whole.find('}') + 1));
  write("archive", "PK\3\4");
  return 0;
}
