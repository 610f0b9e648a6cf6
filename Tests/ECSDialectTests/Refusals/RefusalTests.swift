import ControlPlane
import TestSupport
import Testing

@testable import ECSDialect

/// Every refusal that Alibaba's door has words for, and the words.
@Suite struct RefusalTests {
    @Test("what is refused is refused in the cloud's words, letter by letter, and changes nothing", arguments: tables)
    func refused(_ table: RefusalTable<Scene>) async throws {
        let scene = try await table.scene()
        let reader = Caller(account: Caller.root.account, principal: "ann", role: .reader)
        let before = try await scene.inventory()
        for row in table.rows {
            let parameters = row.parameters.mapValues { scene.filled($0) }
            let said = try Said(await scene.door.raw(row.action, parameters, for: row.isReaders ? reader : .root))
            #expect(said == scene.filled(row.said), "\(row.action), \(row.situation)")
        }
        #expect(try await scene.inventory() == before)
        try await scene.end()
    }

    @Test("what is not read, not believed, or fails in the house is refused in the cloud's words")
    func others() async throws {
        for row in SignatureRefusals.rows + HouseRefusals.rows {
            let said = try await row.provoke()
            #expect(said == row.said, "\(row.situation)")
        }
    }

    @Test("every refusal that stands in the source is provoked by a row")
    func provoked() throws {
        let written = try Self.written()
        let codes = Set(written.compactMap(\.code.text))
        #expect(written.count > 100 && codes.count > 60)
        for refusal in written where !Self.unprovoked.contains(where: { refusal.code.text == $0.code }) {
            #expect(
                Self.said.contains { refusal.canBe($0, besides: codes) },
                "nothing provokes \(refusal.code.parts) \(refusal.message.parts) of \(refusal.place)")
        }
        for (code, reason) in Self.unprovoked {
            #expect(codes.contains(code), "\(code) is not in the source any more: \(reason)")
            #expect(!Self.said.contains { $0.code == code }, "\(code) is provoked after all")
        }
    }

    private static func written() throws -> [WrittenRefusal] {
        try WrittenCall.all(of: ["ECSFailure", "self.init"], in: "Sources/ECSDialect", askedBy: #filePath)
            .filter { $0.arguments.count >= 3 && $0.arguments[1].hasPrefix("\"") }
            .map { call in
                WrittenRefusal(
                    place: call.place, status: Int(call.arguments[0]), code: WrittenText(call.arguments[1]),
                    message: WrittenText(call.arguments[2]))
            }
    }

    /// What no request provokes at will, and why.
    private static let unprovoked: [(code: String, reason: String)] = [
        ("Operation.Conflict", "snapshots of the disk would have to come and go five times during one call"),
        ("QuotaExceed.Image", "an account would have to have 50,000 images"),
    ]

    /// Everything that the tables say is refused.
    private static let said: [Said] =
        tables.flatMap(\.rows).map(\.said) + SignatureRefusals.rows.map(\.said) + HouseRefusals.rows.map(\.said)

    static let tables: [RefusalTable<Scene>] = [
        CallRefusals.table, DiskRefusals.table, DiskChangeRefusals.table, AttachmentRefusals.table,
        InstanceRefusals.table, SnapshotRefusals.table, PendingRefusals.table, FilterRefusals.table,
        GroupRefusals.table, LockRefusals.table, CopyRefusals.table, TagRefusals.table, ImageRefusals.table,
        PolicyRefusals.table, ContentRefusals.table, LimitRefusals.rates, LimitRefusals.quotas,
    ]
}
