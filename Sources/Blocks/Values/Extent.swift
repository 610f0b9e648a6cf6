/// A run of a device's bytes that is alike in one respect.
public struct Extent: Hashable, Sendable {
    /// Where.
    public var range: ByteRange
    /// Stored data (true) or a hole that reads as zeros (false); for ``BlockDevice/changes(in:)``: changed or not.
    public var isSet: Bool

    /// Makes an extent.
    public init(_ range: ByteRange, isSet: Bool) {
        self.range = range
        self.isSet = isSet
    }
}
