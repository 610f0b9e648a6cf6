/// A request that was checked to be its signer's.
public struct ECSRequest: Sendable {
    /// What is asked for; nil: nothing.
    public var action: String?
    /// Of which version of the API.
    public var version: String?
    /// The query's and the form's, by name.
    public var parameters: [String: String]
    /// The host that was asked, as the client calls it.
    public var host: String
    /// Is an answer JSON where nothing else is asked for? Else it is XML.
    public var usuallyJSON: Bool

    /// Makes one.
    public init(
        action: String?, version: String?, parameters: [String: String], host: String, usuallyJSON: Bool
    ) {
        self.action = action
        self.version = version
        self.parameters = parameters
        self.host = host
        self.usuallyJSON = usuallyJSON
    }

    var isJSON: Bool {
        switch parameters["Format"]?.lowercased() {
        case "json": true
        case "xml": false
        default: usuallyJSON
        }
    }
}

/// What goes back to a client.
public struct ECSAnswer: Sendable, Equatable {
    /// The HTTP status.
    public var status: Int
    /// The body's type.
    public var type: String
    /// JSON or XML.
    public var body: String
    /// The id that client and log both have.
    public var requestID: String
    /// For the log alone: what was asked for, where that was understood.
    public var action: String?
    /// For the log alone: what the client may not read.
    public var logged: String?
}
