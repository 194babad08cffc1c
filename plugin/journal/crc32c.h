// CRC-32C (Castagnoli, 1993; polynomial 0x1EDC6F41 reflected, as in iSCSI, RFC 3720, appendix B.4).
//
// By the processor's instruction where there is one (SSE 4.2: about 8 bytes in 3 cycles), else by eight
// tables (Kounavis and Berry, "Novel Table Lookup-Based Algorithms for High-Performance CRC Generation",
// 2008).
#pragma once

#include <cstdint>
#include <string_view>

namespace restante {

// `before`: the checksum of what stands in front, so that a text may be given in pieces.
std::uint32_t crc32c(std::string_view bytes, std::uint32_t before = 0) noexcept;

// The way without the instruction, for tests and other processors.
std::uint32_t crc32c_by_tables(std::string_view bytes, std::uint32_t before = 0) noexcept;

}  // namespace restante
