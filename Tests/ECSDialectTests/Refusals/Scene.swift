import ControlPlane
import Foundation
import TestSupport
import Testing

@testable import ECSDialect

/// A house with some things in it, and short names for them.
struct Scene {
    let door: ECSDoor
    /// By name: ids, zones, and whatever else parameters and messages have in them.
    var names: [String: String]
    private let away: URL?

    init(_ door: ECSDoor, _ names: [String: String] = [:]) {
        self.door = door
        self.names = names.merging(["zone": door.zone, "region": door.house.region.name]) { $1 }
        away = nil
    }

    private init(_ scene: Scene, away: URL) {
        door = scene.door
        names = scene.names
        self.away = away
    }

    private static func store(_ door: ECSDoor) -> URL { URL(filePath: door.scratch.path + "/data/store") }

    /// The same without its store, so that nothing that is under way comes to its end.
    func withoutStore() throws -> Scene {
        let store = Self.store(door), away = store.appendingPathExtension("away")
        try FileManager.default.moveItem(at: store, to: away)
        return Scene(self, away: away)
    }

    func end() async throws {
        if let away { try FileManager.default.moveItem(at: away, to: Self.store(door)) }
        await door.house.close()
    }

    /// With what the names in braces stand for.
    func filled(_ text: String) -> String {
        names.reduce(text) { $0.replacing("{\($1.key)}", with: $1.value) }
    }

    func filled(_ said: Said) -> Said {
        Said(status: said.status, code: said.code, message: filled(said.message))
    }

    /// What there is, in a form in which a change shows.
    func inventory() async throws -> [String] {
        let house = door.house
        var lines: [String] = []
        for volume in try await house.volumes.list() {
            let hosts = volume.attachments.map(\.host)
            lines.append("\(volume.id) \(volume.name ?? "") \(volume.sizeBytes) \(hosts) \(Self.text(volume.tags))")
        }
        for snapshot in try await house.snapshots.list() {
            lines.append("\(snapshot.id) \(snapshot.name ?? "") \(Self.text(snapshot.tags))")
        }
        for instance in try await house.instances.list() {
            lines.append("\(instance.id) \(instance.state) \(instance.disks.map(\.volumeId))")
        }
        for image in try await house.images.list() { lines.append("\(image.id) \(image.name)") }
        for policy in try await house.policies.list() {
            lines.append("\(policy.id) \(policy.plan?.targets.ids.sorted() ?? [])")
        }
        return lines.sorted()
    }

    private static func text(_ tags: [String: String]?) -> String {
        (tags ?? [:]).map { "\($0.key)=\($0.value)" }.sorted().joined(separator: " ")
    }
}

extension ECSDoor {
    /// Makes a disk of 20 GiB, which was attached once: of others the cloud takes no snapshots.
    func makeDisk(_ category: String = "cloud_essd", _ more: [String: String] = [:]) async throws -> String {
        let usual = ["ZoneId": zone, "Size": "20", "DiskCategory": category]
        let disk = try await ask("CreateDisk", usual.merging(more) { $1 }).text("DiskId")
        let place = more["RegionId"] ?? house.region.name
        let verbs = try #require(house.verbs(for: .root, in: place)), id = try #require(ECSID.native(disk, .disk))
        _ = try await verbs.volumes.attach(id)
        _ = try await verbs.volumes.detach(id)
        return disk
    }

    /// Takes a snapshot and waits until it is stored.
    func makeSnapshot(of disk: String, _ more: [String: String] = [:]) async throws -> String {
        let id = try await ask("CreateSnapshot", ["DiskId": disk].merging(more) { $1 }).text("SnapshotId")
        try await accomplish(id)
        return id
    }
}

extension KeyFiles {
    /// Makes a key file beside a data directory, and says where it is.
    static func newKey(beside data: String) throws -> String {
        let path = data + ".key"
        _ = try make(at: path)
        return path
    }
}
