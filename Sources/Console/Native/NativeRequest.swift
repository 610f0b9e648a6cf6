/// A request to the native API whose sender has been checked.
public struct NativeRequest: Sendable {
    /// `GET`, `POST`, ...
    public var method: String
    /// The path below `/api/v1`, such as `/volumes/vol-0123456789abcdef0`.
    public var path: String
    /// What follows `?`, as sent.
    public var query: String
    /// The body, whole.
    public var body: [UInt8]

    /// Makes one.
    public init(method: String, path: String, query: String = "", body: [UInt8] = []) {
        self.method = method
        self.path = path
        self.query = query
        self.body = body
    }
}

/// The largest bodies that the native API takes; whoever receives requests refuses larger ones unread.
public enum NativeLimits {
    /// Bytes of a JSON document.
    public static let document = 1 << 20
    /// Bytes of one part of an import.
    public static let part = 16 << 20
}
