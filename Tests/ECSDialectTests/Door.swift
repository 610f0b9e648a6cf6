import Blocks
import ControlPlane
import Foundation
import TestSupport
import Testing

@testable import ECSDialect

/// A house with Alibaba's dialect in front of it.
struct ECSDoor {
    let scratch: ScratchDirectory
    let house: House
    let dialect: ECSDialect

    init(_ change: (inout HousePlan) throws -> Void = { _ in }) async throws {
        scratch = try ScratchDirectory("varve-ecs")
        var plan = HousePlan(data: scratch.path + "/data")
        try change(&plan)
        house = try await House.open(plan, exports: Board())
        dialect = ECSDialect(house) { "REQUEST" }
    }

    /// An answer, read as JSON.
    struct Reply {
        let status: Int
        let fields: [String: Any]
        var code: String? { fields["Code"] as? String }
        var message: String? { fields["Message"] as? String }

        func text(_ name: String) throws -> String { try #require(fields[name] as? String) }

        /// `{"Disks": {"Disk": [...]}}`
        func list(_ outer: String, _ inner: String) throws -> [[String: Any]] {
            try #require((fields[outer] as? [String: Any])?[inner] as? [[String: Any]])
        }
    }

    func raw(
        _ action: String, _ parameters: [String: String] = [:], for caller: Caller = .root, format: String = "JSON"
    ) async -> ECSAnswer {
        await dialect.answer(
            ECSRequest(
                action: action, version: "2014-05-26", parameters: parameters.merging(["Format": format]) { a, _ in a },
                host: "127.0.0.1:8420", usuallyJSON: true),
            for: caller)
    }

    func ask(
        _ action: String, _ parameters: [String: String] = [:], for caller: Caller = .root
    ) async throws -> Reply {
        let answer = await raw(action, parameters, for: caller)
        let json = try JSONSerialization.jsonObject(with: Data(answer.body.utf8))
        let fields = try #require(json as? [String: Any])
        #expect(fields["RequestId"] as? String == "REQUEST")
        return Reply(status: answer.status, fields: fields)
    }

    /// The same, which must be refused with this code and status.
    func refused(
        _ action: String, _ parameters: [String: String], _ status: Int, _ code: String, for caller: Caller = .root,
        _ place: SourceLocation = #_sourceLocation
    ) async throws {
        let reply = try await ask(action, parameters, for: caller)
        #expect(reply.status == status && reply.code == code, "\(action): \(reply.fields)", sourceLocation: place)
    }

    func snapshot(_ id: String) async throws -> [String: Any] {
        try #require(
            try await ask("DescribeSnapshots", ["SnapshotIds": "[\"\(id)\"]"]).list("Snapshots", "Snapshot").first)
    }

    func disk(_ id: String) async throws -> [String: Any] {
        try #require(try await ask("DescribeDisks", ["DiskIds": "[\"\(id)\"]"]).list("Disks", "Disk").first)
    }

    /// A disk that was attached once, without which this cloud takes no snapshot of it.
    func usedDisk(_ category: String = "cloud_essd") async throws -> String {
        let disk = try await ask("CreateDisk", ["ZoneId": zone, "Size": "20", "DiskCategory": category]).text("DiskId")
        try await use(disk)
        return disk
    }

    /// Attaches a disk, and detaches it.
    func use(_ disk: String) async throws {
        let volume = try #require(ECSID.native(disk, .disk))
        _ = try await house.volumes.attach(volume)
        _ = try await house.volumes.detach(volume)
    }

    /// Waits for the upload.
    func accomplish(_ id: String) async throws {
        _ = try await house.snapshots.wait(for: try #require(ECSID.native(id, .snapshot)))
    }

    /// Waits until `condition` holds, at most a minute, which only a stuck house takes.
    func eventually(_ what: String, _ condition: () async throws -> Bool) async throws {
        for _ in 0..<6_000 {
            if try await condition() { return }
            try await Task.sleep(for: .milliseconds(10))
        }
        Issue.record("\(what): not within a minute")
    }

    var zone: String { house.region.zones[0].name }
}
