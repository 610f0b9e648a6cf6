import Foundation
import TestSupport

@testable import ECSDialect

extension Said {
    /// Reads it from a client's answer.
    init(_ answer: ECSAnswer) throws {
        let fields = try JSONSerialization.jsonObject(with: Data(answer.body.utf8)) as? [String: Any] ?? [:]
        self.init(
            status: answer.status, code: fields["Code"] as? String ?? "", message: fields["Message"] as? String ?? "")
    }
}
