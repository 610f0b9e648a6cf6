import ControlPlane
import Foundation

@testable import ECSDialect

/// A refusal that no action says: of what was not read, and of what the house has other words for.
struct OtherRefusal: Sendable {
    let situation: String
    let said: Said
    let provoke: @Sendable () async throws -> Said

    init(
        _ situation: String, _ status: Int, _ code: String, _ message: String,
        _ provoke: @escaping @Sendable () async throws -> Said
    ) {
        self.situation = situation
        said = Said(status: status, code: code, message: message)
        self.provoke = provoke
    }
}

/// One refusal, as it was said.
struct Said: Equatable {
    let status: Int
    let code: String
    let message: String

    init(status: Int, code: String, message: String) {
        self.status = status
        self.code = code
        self.message = message
    }

    /// Reads it from a client's answer.
    init(_ answer: ECSAnswer) throws {
        let fields = try JSONSerialization.jsonObject(with: Data(answer.body.utf8)) as? [String: Any] ?? [:]
        status = answer.status
        code = fields["Code"] as? String ?? ""
        message = fields["Message"] as? String ?? ""
    }
}
