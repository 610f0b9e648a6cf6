import Testing

/// Something that is refused, and in which words: code, message and status are what clients match on, letter by letter.
struct Refusal: Sendable {
    /// What is wrong.
    let situation: String
    let action: String
    /// What is in braces stands for what the scene calls so: `{disk}`.
    let parameters: [String: String]
    let status: Int
    let code: String
    /// Likewise.
    let message: String
    /// Who asks: by a reader's key?
    var isReaders = false

    init(
        _ situation: String, _ action: String, _ parameters: [String: String], _ status: Int, _ code: String,
        _ message: String
    ) {
        self.situation = situation
        self.action = action
        self.parameters = parameters
        self.status = status
        self.code = code
        self.message = message
    }

    /// The same, of a key that may look and change nothing.
    var ofReader: Refusal {
        var refusal = self
        refusal.isReaders = true
        return refusal
    }
}

/// Refusals in one scene, in which they change nothing.
struct RefusalTable: Sendable, CustomTestStringConvertible {
    let name: String
    let scene: @Sendable () async throws -> Scene
    let rows: [Refusal]

    init(_ name: String, in scene: @escaping @Sendable () async throws -> Scene, _ rows: [Refusal]) {
        self.name = name
        self.scene = scene
        self.rows = rows
    }

    var testDescription: String { name }
}
