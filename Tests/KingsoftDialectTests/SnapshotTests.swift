import Blocks
import ControlPlane
import Foundation
import TestSupport
import Testing

@testable import KingsoftDialect

@Suite struct SnapshotTests {
    @Test("a snapshot from its making to its end, in this cloud's words")
    func life() async throws {
        let counter = try await Counter()
        let volume = try await counter.volume("EHDD", ["VolumeName": "db"])
        let snapshot = try await counter.snapshot(volume, ["SnapshotName": "before", "SnapshotDesc": "the upgrade"])
        let said = try await counter.ask("DescribeSnapshots", ["VolumeId": volume])
        let shown = try #require(said.list("Snapshots").first)
        #expect(shown["SnapshotId"] as? String == snapshot && shown["VolumeId"] as? String == volume)
        #expect(shown["SnapshotName"] as? String == "before" && shown["SnapshotDesc"] as? String == "the upgrade")
        #expect(shown["SnapshotStatus"] as? String == "available" && shown["Progress"] as? String == "100%")
        #expect(
            shown["Size"] as? Int == 10 && shown["VolumeName"] as? String == "db"
                && shown["VolumeType"] as? String == "EHDD")
        #expect((shown["CreateTime"] as? String)?.utf8.count == 19 && shown["AutoSnapshot"] as? Bool == false)
        #expect((said["Page"] as? [String: Any])?["hasNext"] as? Bool == false && said["TotalCount"] as? Int == 1)
        let copy = try await counter.volume("SSD3.0", ["SnapshotId": snapshot, "Size": "20"])
        let made = try #require(
            try await counter.ask("DescribeVolumes", ["SourceSnapshotId": snapshot]).list("Volumes").first)
        #expect(made["VolumeId"] as? String == copy && made["SourceSnapshotId"] as? String == snapshot)
        #expect(try await counter.volume("SSD3.0", ["SnapshotId": snapshot, "Size": ""]).utf8.count == 36)
        #expect(
            try await counter.volume("SSD3.0", ["SnapshotId": snapshot, "Size": "9"]).contains(
                "SizeInvalidParameterValue"))
        #expect(
            try await counter.ask("RollbackSnapshot", ["VolumeId": volume, "SnapshotId": snapshot])["Return"] as? Bool
                == true)
        #expect(
            try await counter.ask("RollbackSnapshot", ["VolumeId": copy, "SnapshotId": snapshot]).code
                == "VolumeSnapshotMismatch")
        #expect(
            try await counter.ask("DeleteVolume", ["VolumeId": volume, "ForceDelete": "true"])["Return"] as? Bool
                == true)
        let orphan = try #require(
            try await counter.ask("DescribeSnapshots", ["SnapshotId": snapshot]).list("Snapshots").first)
        #expect(orphan["VolumeStatus"] as? String == "deleted" && orphan["VolumeId"] as? String == volume)
        #expect(try await counter.ask("DeleteSnapshot", ["SnapshotId": snapshot])["Return"] as? Bool == true)
        let again = try await counter.ask("DeleteSnapshot", ["SnapshotId": snapshot])
        #expect(again.status == 404 && again.code == "SnapshotCanNotFoundError")
        let gone = try await counter.ask("DescribeSnapshots", ["SnapshotId": snapshot])
        #expect(gone.status == 200 && gone["Snapshots"] as? [String] == [])
        await counter.house.close()
    }

    @Test("only volumes of types SSD3.0 and EHDD have snapshots", arguments: ["ESSD_PL1", "SSD2.0", "SATA3.0"])
    func types(_ type: String) async throws {
        let counter = try await Counter()
        let volume = try await counter.volume(type)
        #expect(try await counter.ask("CreateSnapshot", ["VolumeId": volume]).code == "VolumeTypeNotSupportSnapshot")
        #expect(try await counter.house.snapshots.list().isEmpty)
        // At another door it has.
        let id = try #require(KingsoftID.id(volume, .volume))
        _ = try await counter.house.snapshots.create(CreateSnapshot(volume: id))
        await counter.house.close()
    }

    @Test("one snapshot of a volume is created at a time, and so long nothing is rolled back")
    func oneAtATime() async throws {
        let counter = try await Counter()
        let volume = try await counter.volume(), other = try await counter.volume()
        let done = try await counter.snapshot(volume)
        // While the store is away nothing is done with being created.
        let store = URL(filePath: counter.scratch.path + "/data/store"), away = store.appendingPathExtension("away")
        try FileManager.default.moveItem(at: store, to: away)
        let created = try await counter.ask("CreateSnapshot", ["VolumeId": volume])
        let pending = try #require(created.text("SnapshotId"))
        let shown = try await counter.ask("DescribeSnapshots", ["SnapshotId": pending]).list("Snapshots").first
        #expect(shown?["SnapshotStatus"] as? String == "creating" && shown?["Progress"] as? String == "0%")
        #expect(try await counter.ask("CreateSnapshot", ["VolumeId": volume]).code == "SnapshotCreatingConflict")
        #expect(try await counter.ask("CreateSnapshot", ["VolumeId": other]).code == nil)
        let back = ["VolumeId": volume, "SnapshotId": done]
        #expect(try await counter.ask("RollbackSnapshot", back).code == "SnapshotCreatingConflict")
        let early = back.merging(["SnapshotId": pending]) { $1 }
        #expect(try await counter.ask("RollbackSnapshot", early).code == "SnapshotStatusError")
        #expect(try await counter.volume("SSD3.0", ["SnapshotId": pending]).contains("SnapshotStatusError"))
        try FileManager.default.moveItem(at: away, to: store)
        let id = try #require(KingsoftID.id(pending, .snapshot))
        _ = try await counter.house.snapshots.wait(for: id)
        #expect(try await counter.ask("RollbackSnapshot", back)["Return"] as? Bool == true)
        await counter.house.close()
    }

    @Test("a local snapshot is available from its cut on, is stored meanwhile, and becomes a common one then")
    func local() async throws {
        let counter = try await Counter()
        let volume = try await counter.volume()
        // While the store is away nothing is stored.
        let store = URL(filePath: counter.scratch.path + "/data/store"), away = store.appendingPathExtension("away")
        try FileManager.default.moveItem(at: store, to: away)
        let asked = ["VolumeId": volume, "SnapshotType": "LocalSnapShot"]
        let made = try await counter.ask("CreateSnapshot", asked)
        let snapshot = try #require(made.text("SnapshotId"), "\(made.body)")
        func shown() async throws -> [String: Any] {
            try await counter.ask("DescribeSnapshots", ["SnapshotId": snapshot]).list("Snapshots").first ?? [:]
        }
        let first = try await shown()
        #expect(first["SnapshotStatus"] as? String == "available" && first["Progress"] as? String == "100%")
        #expect(first["SnapshotType"] as? String == "LocalSnapShot")
        let id = try #require(KingsoftID.id(snapshot, .snapshot))
        #expect(try await counter.house.snapshots.find(id).state == .pending)
        #expect(try await counter.volume("EHDD", ["SnapshotId": snapshot]).utf8.count == 36)
        let back = ["VolumeId": volume, "SnapshotId": snapshot]
        #expect(try await counter.ask("RollbackSnapshot", back)["Return"] as? Bool == true)
        #expect(try await counter.ask("ModifySnapshotType", ["SnapshotId": snapshot]).code == "SnapshotStatusError")
        // It is not being created, so others may be.
        let common = try #require(try await counter.ask("CreateSnapshot", ["VolumeId": volume]).text("SnapshotId"))
        #expect(try await counter.ask("CreateSnapshot", asked).code == "SnapshotCreatingConflict")
        #expect(try await counter.ask("RollbackSnapshot", back).code == "SnapshotCreatingConflict")
        try FileManager.default.moveItem(at: away, to: store)
        for one in [snapshot, common] {
            _ = try await counter.house.snapshots.wait(for: try #require(KingsoftID.id(one, .snapshot)))
        }
        #expect(try await shown()["SnapshotType"] as? String == "LocalSnapShot")
        let both = ["SnapshotIds.1": snapshot, "SnapshotIds.2": common]
        #expect(try await counter.ask("ModifySnapshotType", both)["Result"] as? Bool == true)
        #expect(try await shown()["SnapshotType"] as? String == "CommonSnapShot")
        let wrong = try await counter.ask("CreateSnapshot", ["VolumeId": volume, "SnapshotType": "Remote"])
        #expect(wrong.code == "SnapshotTypeInvalidParameterValue")
        await counter.house.close()
    }

    @Test("a snapshot is found by its whole name, pages are told, and names of policies are kept")
    func names() async throws {
        let counter = try await Counter()
        let volume = try await counter.volume()
        for name in ["one", "one-more", "two"] { _ = try await counter.snapshot(volume, ["SnapshotName": name]) }
        let found = try await counter.ask("DescribeSnapshots", ["SnapshotName": "one"]).list("Snapshots")
        #expect(found.map { $0["SnapshotName"] as? String } == ["one"])
        let page = try await counter.ask("DescribeSnapshots", ["PageSize": "2"])
        #expect(page.list("Snapshots").count == 2 && (page["Page"] as? [String: Any])?["hasNext"] as? Bool == true)
        let last = try await counter.ask("DescribeSnapshots", ["PageSize": "2", "PageNumber": "2"])
        #expect(last.list("Snapshots").map { $0["SnapshotName"] as? String } == ["one"])
        #expect((last["Page"] as? [String: Any])?["hasNext"] as? Bool == false)
        for name in ["autosave", "x", "a b", String(repeating: "x", count: 51)] {
            let said = try await counter.ask("CreateSnapshot", ["VolumeId": volume, "SnapshotName": name])
            #expect(said.code == "SnapshotNameInvalidParameterValue", "\(name): \(said.body)")
        }
        let long = try await counter.ask(
            "CreateSnapshot", ["VolumeId": volume, "SnapshotDesc": String(repeating: "x", count: 129)])
        #expect(long.code == "SnapshotDescInvalidParameterValue")
        let none = try await counter.snapshot(volume)
        let named = try await counter.ask("DescribeSnapshots", ["SnapshotName": "snapshot-\(none.prefix(8))"])
        #expect(named.list("Snapshots").map { $0["SnapshotId"] as? String } == [none])
        await counter.house.close()
    }

    @Test("a snapshot gets another name, and is deleted at the time that was set for it, by the clock of Beijing")
    func scheduled() async throws {
        let counter = try await Counter()
        let volume = try await counter.volume()
        let time = "2099-01-02T03:04:05"
        let snapshot = try await counter.snapshot(volume, ["SnapshotName": "first", "ScheduledDeleteTime": time])
        func shown() async throws -> [String: Any] {
            try await counter.ask("DescribeSnapshots", ["SnapshotId": snapshot]).list("Snapshots").first ?? [:]
        }
        #expect(try await shown()["ScheduledDeleteTime"] as? String == "2099-01-02 03:04:05")
        #expect(try await counter.house.snapshots.list().map(\.releaseAt) == [WallTime("2099-01-01T19:04:05Z")])
        let change = ["SnapshotId": snapshot, "SnapshotName": "second", "SnapshotDesc": "why"]
        #expect(try await counter.ask("ModifySnapshot", change)["Return"] as? Bool == true)
        let now = try await shown()
        #expect(now["SnapshotName"] as? String == "second" && now["SnapshotDesc"] as? String == "why")
        #expect(now["ScheduledDeleteTime"] as? String == "2099-01-02 03:04:05")
        #expect(try await counter.ask("ModifySnapshot", ["SnapshotId": snapshot]).code == "SnapshotNameRequired")
        let auto = ["SnapshotId": snapshot, "SnapshotName": "auto-x"]
        #expect(try await counter.ask("ModifySnapshot", auto).code == "SnapshotNameInvalidParameterValue")
        for wrong in ["2001-01-02T03:04:05", "tomorrow"] {
            let said = try await counter.ask("CreateSnapshot", ["VolumeId": volume, "ScheduledDeleteTime": wrong])
            #expect(said.code == "ScheduledDeleteTimeInvalidParameterValue", "\(said.body)")
        }
        await counter.house.close()
    }
}
