/// Why a block operation failed. Small and closed: it crosses the data path without allocating.
public enum BlockFailure: Error, Equatable, Sendable {
    /// The range ends past the device's size, or starts before 0.
    case outOfRange
    /// The device does not take writes.
    case readOnly
    /// The disk under it is full.
    case noSpace
    /// The kernel said `errno`.
    case io(errno: Int32)
    /// What was read does not match its checksum; the bad data starts at this byte of the device.
    case corrupt(at: ByteOffset)
    /// What would answer is not there (a store that cannot be reached, a source that was withdrawn).
    case unavailable
    /// The operation is not supported here (a cached-only read where the file system has none).
    case unsupported
    /// The device was closed, or failed earlier in a way that a retry cannot mend.
    case failed

    /// The failure that a kernel answer of `-errno` means.
    public init(errno: Int32) {
        switch errno {
        case 28, 122: self = .noSpace  // ENOSPC, EDQUOT
        case 30: self = .readOnly  // EROFS
        case 95: self = .unsupported  // EOPNOTSUPP
        default: self = .io(errno: errno)
        }
    }
}

extension BlockFailure: CustomStringConvertible {
    /// For people, without the place where it happened.
    public var description: String {
        switch self {
        case .outOfRange: "the range ends past the disk"
        case .readOnly: "the disk is read-only"
        case .noSpace: "the disk that holds the data is full"
        case .io(let errno): "the disk failed: \(ErrnoText.of(errno))"
        case .corrupt(let offset): "what is stored for byte \(offset.bytes) is damaged or missing"
        case .unavailable: "the data cannot be reached now"
        case .unsupported: "the file system does not support this"
        case .failed: "the volume was closed or failed before"
        }
    }
}
