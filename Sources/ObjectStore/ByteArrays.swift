extension Array where Element == UInt8 {
    /// A copy of a span's bytes.
    public init(copying bytes: RawSpan) {
        self = unsafe bytes.withUnsafeBytes { unsafe [UInt8]($0) }
    }
}
