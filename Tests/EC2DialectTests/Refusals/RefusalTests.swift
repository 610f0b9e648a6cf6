import ControlPlane
import TestSupport
import Testing

@testable import EC2Dialect

/// Every refusal that Amazon's query protocol has words for, and the words.
@Suite struct RefusalTests {
    @Test("what is refused is refused in Amazon's words, letter by letter, and changes nothing", arguments: tables)
    func refused(_ table: RefusalTable<EC2Scene>) async throws {
        let scene = try await table.scene()
        let reader = Caller(account: Caller.root.account, principal: "ann", role: .reader)
        let before = try await scene.inventory()
        for row in table.rows {
            let parameters = row.parameters.mapValues { scene.filled($0) }
            let said = Said(await scene.ask(row.action, parameters, for: row.isReaders ? reader : .root))
            #expect(said == scene.filled(row.said), "\(row.action), \(row.situation)")
        }
        #expect(try await scene.inventory() == before)
        await scene.house.close()
    }

    @Test("what is not read, not believed, or fails in the house is refused in Amazon's words")
    func others() async throws {
        for row in EC2OtherRefusals.rows {
            let said = try await row.provoke()
            #expect(said == row.said, "\(row.situation)")
        }
    }

    @Test("every refusal that stands in the source is provoked by a row")
    func provoked() throws {
        let written = try Self.written()
        let codes = Set(written.compactMap(\.code.text))
        #expect(written.count > 150 && codes.count > 50)
        for refusal in written where !Self.isUnprovoked(refusal) {
            #expect(
                Self.said.contains { refusal.canBe($0, besides: codes) },
                "nothing provokes \(refusal.code.parts) \(refusal.message.parts) of \(refusal.place)")
        }
        for (message, reason) in Self.unprovoked {
            #expect(written.contains { $0.message.canBe(message) }, "that is not in the source any more: \(reason)")
            #expect(!Self.said.contains { $0.message == message }, "it is provoked after all: \(reason)")
        }
    }

    /// What no request provokes at will, and why.
    private static let unprovoked: [(message: String, reason: String)] = [
        ("Volume vol-1 cannot have its IO enabled: why", "a volume's files would have to be spoilt"),
        ("Volume throughput of 1 is too low; minimum is 125.", "what is too low for its kind is raised before"),
        ("Invalid value 'snap-1' for snapshotId. Snapshot does not belong to 1", "ImageTests does, as a stranger"),
    ]

    private static func isUnprovoked(_ refusal: WrittenRefusal) -> Bool {
        refusal.message != WrittenText("open") && unprovoked.contains { refusal.message.canBe($0.message) }
    }

    private static let said = tables.flatMap(\.rows).map(\.said) + EC2OtherRefusals.rows.map(\.said)

    static let tables: [RefusalTable<EC2Scene>] = [
        EC2CallRefusals.table, EC2VolumeRefusals.table, EC2AttachmentRefusals.table, EC2SnapshotRefusals.table,
        EC2ImageRefusals.table, EC2InstanceRefusals.table,
    ]

    /// Those of the query protocols; the protocols with paths have failures of their own.
    private static func written() throws -> [WrittenRefusal] {
        let short = [
            ".invalidValue": "InvalidParameterValue", ".invalidParameter": "InvalidParameter",
            ".combination": "InvalidParameterCombination", ".missing": "MissingParameter",
        ]
        let others = ["Direct", "DLM", "Bin"].map { "Sources/EC2Dialect/\($0)/" }
        func calls(_ names: [String]) throws -> [WrittenCall] {
            try WrittenCall.all(of: names, in: "Sources/EC2Dialect", askedBy: #filePath).filter { call in
                !others.contains { call.place.hasPrefix($0) } && call.arguments[0].hasPrefix("\"")
            }
        }
        let whole = try calls(["EC2Failure", "self.init"]).map { call in
            let status =
                call.arguments.first { $0.hasPrefix("status:") }.map { $0.dropFirst("status: ".count) } ?? "400"
            return WrittenRefusal(
                place: call.place, status: Int(status), code: WrittenText(call.arguments[0]),
                message: WrittenText(call.arguments[1]))
        }
        return try whole
            + short.flatMap { name, code in
                try calls([name]).map { call in
                    let text = call.arguments[0]
                    let message =
                        code == "MissingParameter" ? "\"The request must contain the parameter \" + \(text)" : text
                    return WrittenRefusal(
                        place: call.place, status: 400, code: WrittenText("\"\(code)\""), message: WrittenText(message))
                }
            }
    }
}
