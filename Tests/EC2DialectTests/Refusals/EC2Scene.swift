import Blocks
import ControlPlane
import Foundation
import TestSupport
import Testing

@testable import EC2Dialect

/// A house with some things in it, and short names for them.
struct EC2Scene {
    let scratch: ScratchDirectory
    let house: House
    let dialect: EC2Dialect
    /// By name: ids, zones, and whatever else parameters and messages have in them.
    var names: [String: String] = [:]

    init(_ change: (inout HousePlan) throws -> Void = { _ in }) async throws {
        scratch = try ScratchDirectory("varve-ec2-refusals")
        var plan = HousePlan(data: scratch.path + "/data")
        try change(&plan)
        house = try await House.open(plan, exports: Board())
        dialect = EC2Dialect(house) { "id" }
        names["zone"] = house.region.zones[0].name
        names["region"] = house.region.name
        names["account"] = Caller.root.account
    }

    subscript(_ name: String) -> String {
        get { names[name] ?? "" }
        set { names[name] = newValue }
    }

    /// Without its value a parameter is not sent.
    func ask(_ action: String, _ parameters: [String: String], for caller: Caller = .root) async -> EC2Answer {
        let all = ["Action": action, "Version": "2016-11-15"].merging(parameters) { $1 }
        var plain = CharacterSet.alphanumerics.intersection(CharacterSet(charactersIn: "\u{20}"..."\u{7e}"))
        plain.insert(charactersIn: "-._")
        let query = all.filter { $0.value != "none" }.map { name, value in
            [name, value].map { $0.addingPercentEncoding(withAllowedCharacters: plain) ?? "" }.joined(separator: "=")
        }
        return await dialect.answer(EC2Request(sources: [query.joined(separator: "&")]), for: caller)
    }

    /// With what the names in braces stand for.
    func filled(_ text: String) -> String {
        guard text.contains("{") else { return text }
        return names.reduce(text) { $0.replacing("{\($1.key)}", with: $1.value) }
    }

    func filled(_ said: Said) -> Said {
        Said(status: said.status, code: said.code, message: filled(said.message))
    }

    /// Makes a volume.
    func volume(_ gibibytes: Int = 1, _ change: (inout CreateVolume) -> Void = { _ in }) async throws -> String {
        var request = CreateVolume(size: .gibibytes(gibibytes))
        change(&request)
        return try await house.volumes.create(request).id
    }

    /// Takes a snapshot and waits until it is stored.
    func snapshot(of volume: String) async throws -> String {
        let id = try await house.snapshots.create(CreateSnapshot(volume: volume)).id
        return try await house.snapshots.wait(for: id).id
    }

    /// What there is, in a form in which a change shows.
    func inventory() async throws -> [String] {
        var lines: [String] = []
        for volume in try await house.volumes.list() {
            let hosts = volume.attachments.map(\.host)
            lines.append("\(volume.id) \(volume.sizeBytes) \(volume.profile.kind) \(hosts) \(Self.text(volume.tags))")
        }
        for snapshot in try await house.snapshots.list() {
            let sharing = "\(snapshot.sharing?.accounts ?? []) \(snapshot.sharing?.isPublic ?? false)"
            lines.append("\(snapshot.id) \(snapshot.state) \(sharing) \(Self.text(snapshot.tags))")
        }
        for instance in try await house.instances.list() {
            lines.append("\(instance.id) \(instance.state) \(instance.disks.map(\.volumeId))")
        }
        for image in try await house.images.list() { lines.append("\(image.id) \(image.name) \(image.state)") }
        return lines.sorted()
    }

    private static func text(_ tags: [String: String]?) -> String {
        (tags ?? [:]).map { "\($0.key)=\($0.value)" }.sorted().joined(separator: " ")
    }
}

extension Said {
    /// Reads it from a client's answer.
    init(_ answer: EC2Answer) {
        func element(_ name: String) -> String {
            guard let start = answer.body.range(of: "<\(name)>"), let end = answer.body.range(of: "</\(name)>") else {
                return ""
            }
            return [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&apos;", "'"), ("&amp;", "&")].reduce(
                String(answer.body[start.upperBound..<end.lowerBound])
            ) { $0.replacing($1.0, with: $1.1) }
        }
        self.init(status: answer.status, code: element("Code"), message: element("Message"))
    }
}

extension Refusal {
    /// Of those with Amazon's usual status.
    init(
        _ situation: String, _ action: String, _ parameters: [String: String], _ code: String, _ message: String
    ) {
        self.init(situation, action, parameters, 400, code, message)
    }
}

/// `Name.1`, `Name.2`, ... of `Name.N`.
func numbered(_ name: String, _ count: Int, _ value: (Int) -> String = { "\($0)" }) -> [String: String] {
    Dictionary(uniqueKeysWithValues: (1...count).map { (name.replacing("N", with: "\($0)"), value($0)) })
}
