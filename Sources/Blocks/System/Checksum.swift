internal import CLinux

/// CRC-32C (Castagnoli, RFC 3720), for what must be recognised as torn or rotten, not as forged.
public enum Checksum {
    /// The CRC of `bytes`, continuing from `previous` (0 to start).
    public static func crc32c(_ bytes: RawSpan, continuing previous: UInt32 = 0) -> UInt32 {
        unsafe bytes.withUnsafeBytes { unsafe varve_crc32c(previous, $0.baseAddress, $0.count) }
    }
    /// The CRC of an array's bytes.
    public static func crc32c(_ bytes: [UInt8]) -> UInt32 {
        unsafe bytes.withUnsafeBytes { unsafe varve_crc32c(0, $0.baseAddress, $0.count) }
    }
}

extension RawSpan {
    /// Is every byte zero? (True when empty.)
    public var isAllZero: Bool {
        unsafe withUnsafeBytes { unsafe $0.count == 0 || varve_is_zero($0.baseAddress, $0.count) != 0 }
    }
}
