public import Blocks

/// What a new volume should be.
public struct CreateVolume: Sendable {
    /// Where its content comes from.
    public enum Origin: Equatable, Sendable {
        /// Zeros.
        case empty
        /// A snapshot, completed or pending.
        case snapshot(String)
        /// Another volume, as it is at this moment.
        case volume(String)
    }

    /// 1 to 128 printable characters, or nil.
    public var name: String?
    /// The size: needed for an empty volume, else as large as the origin or larger; nil takes the origin's.
    public var size: ByteCount?
    /// Where its content comes from.
    public var origin: Origin

    /// Makes a request.
    public init(size: ByteCount?, name: String? = nil, origin: Origin = .empty) {
        self.size = size
        self.name = name
        self.origin = origin
    }
}
