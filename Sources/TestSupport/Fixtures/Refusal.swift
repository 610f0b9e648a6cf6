public import Testing

/// Something that is refused, and in which words: code, message and status are what clients match on, letter by letter.
public struct Refusal: Sendable {
    /// What is wrong.
    public let situation: String
    /// What is asked for.
    public let action: String
    /// What is in braces stands for what the scene calls so: `{disk}`.
    public let parameters: [String: String]
    /// What is answered; in the message, too, names are in braces.
    public let said: Said
    /// Does somebody ask with a key that may look and change nothing?
    public var isReaders = false

    /// Makes one.
    public init(
        _ situation: String, _ action: String, _ parameters: [String: String], _ status: Int, _ code: String,
        _ message: String
    ) {
        self.situation = situation
        self.action = action
        self.parameters = parameters
        said = Said(status: status, code: code, message: message)
    }

    /// The same, asked with a reader's key.
    public var ofReader: Refusal {
        var refusal = self
        refusal.isReaders = true
        return refusal
    }
}

/// One refusal, as it was said.
public struct Said: Equatable, Sendable {
    /// The HTTP status.
    public let status: Int
    /// The code.
    public let code: String
    /// The message.
    public let message: String

    /// Makes one.
    public init(status: Int, code: String, message: String) {
        self.status = status
        self.code = code
        self.message = message
    }
}

/// Refusals in one scene, in which they change nothing.
public struct RefusalTable<Scene>: Sendable, CustomTestStringConvertible {
    /// What they are about.
    public let name: String
    /// Builds the scene.
    public let scene: @Sendable () async throws -> Scene
    /// What is refused there.
    public let rows: [Refusal]

    /// Makes one.
    public init(_ name: String, in scene: @escaping @Sendable () async throws -> Scene, _ rows: [Refusal]) {
        self.name = name
        self.scene = scene
        self.rows = rows
    }

    /// What it is about.
    public var testDescription: String { name }
}

/// A refusal that no action says: of what was not read, and of what the house has other words for.
public struct OtherRefusal: Sendable {
    /// What is wrong.
    public let situation: String
    /// What is to be said.
    public let said: Said
    /// Has it said.
    public let provoke: @Sendable () async throws -> Said

    /// Makes one.
    public init(
        _ situation: String, _ status: Int, _ code: String, _ message: String,
        _ provoke: @escaping @Sendable () async throws -> Said
    ) {
        self.situation = situation
        said = Said(status: status, code: code, message: message)
        self.provoke = provoke
    }
}
