import ControlPlane
import Foundation
import TestSupport

@testable import KingsoftDialect

/// A house of one region, asked through this cloud's words.
struct Counter {
    let scratch: ScratchDirectory
    let house: House
    let dialect: KingsoftDialect
    static let zone = "cn-beijing-6a"

    init(_ name: String = "varve-kingsoft", change: (inout HousePlan) -> Void = { _ in }) async throws {
        scratch = try ScratchDirectory(name)
        var plan = HousePlan(data: scratch.path + "/data")
        plan.region = Region(name: "cn-beijing-6")
        change(&plan)
        house = try await House.open(plan, exports: Board())
        dialect = KingsoftDialect(house) { "request" }
    }

    /// An answer, read again.
    struct Said {
        let status: Int
        let body: String
        let fields: [String: Any]

        subscript(_ name: String) -> Any? { fields[name] }
        func text(_ name: String) -> String? { fields[name] as? String }
        func list(_ name: String) -> [[String: Any]] { fields[name] as? [[String: Any]] ?? [] }
        /// The code of a refusal.
        var code: String? { (fields["Error"] as? [String: Any])?["Code"] as? String }
        var message: String { (fields["Error"] as? [String: Any])?["Message"] as? String ?? "" }
    }

    /// Asks with parameters, as a client that reads JSON does.
    func ask(
        _ action: String, _ parameters: [String: String] = [:], _ service: KingsoftRequest.Service = .ebs,
        as caller: Caller = .root
    ) async throws -> Said {
        var characters = CharacterSet.alphanumerics
        characters.insert(charactersIn: "-._")
        let query = parameters.merging(["Action": action, "Version": service.version]) { own, _ in own }.map {
            "\($0.key)=\($0.value.addingPercentEncoding(withAllowedCharacters: characters) ?? "")"
        }.joined(separator: "&")
        let answer = await dialect.answer(
            KingsoftRequest(service, query: query, accept: "application/json"), for: caller)
        let object = try JSONSerialization.jsonObject(with: Data(answer.body.utf8))
        return Said(status: answer.status, body: answer.body, fields: object as? [String: Any] ?? [:])
    }

    /// Makes a volume; its id.
    func volume(_ type: String = "SSD3.0", _ more: [String: String] = [:], as caller: Caller = .root) async throws
        -> String
    {
        let made = try await ask(
            "CreateVolume",
            ["VolumeType": type, "Size": "\(type.hasPrefix("ESSD") ? 40 : 10)", "AvailabilityZone": Self.zone].merging(
                more
            ) { $1 },
            as: caller)
        return made.text("VolumeId") ?? made.body
    }

    /// Takes a snapshot and waits until it is stored; its id.
    func snapshot(_ volume: String, _ more: [String: String] = [:], as caller: Caller = .root) async throws -> String {
        let made = try await ask("CreateSnapshot", ["VolumeId": volume].merging(more) { $1 }, as: caller)
        guard let uuid = made.text("SnapshotId"), let id = KingsoftID.id(uuid, .snapshot) else { return made.body }
        _ = try await house.verbs(for: caller).snapshots.wait(for: id)
        return uuid
    }

    func instance(as caller: Caller = .root) async throws -> String {
        let made = try await ask(
            "RunInstances", ["ImageId": "linux", "InstanceName": "host", "AvailabilityZone": Self.zone], .kec,
            as: caller)
        return made.list("InstancesSet").first?["InstanceId"] as? String ?? made.body
    }
}
