/// The administrator's key. Never printed or logged.
public struct RootCredentials: Sendable, Equatable {
    /// The public half.
    public var accessKeyID: String
    /// The secret half.
    public var secretAccessKey: String

    /// Makes one.
    public init(accessKeyID: String, secretAccessKey: String) {
        self.accessKeyID = accessKeyID
        self.secretAccessKey = secretAccessKey
    }
}
