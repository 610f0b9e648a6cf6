import ControlPlane
import Testing

@testable import KingsoftDialect

@Suite struct CopyTests {
    private static let far = "cn-shanghai-2"

    @Test("snapshots and images are copied to other regions, where they are found by their names")
    func copies() async throws {
        let counter = try await Counter { $0.moreRegions = [RegionPlan(region: Region(name: Self.far))] }
        let volume = try await counter.volume()
        let snapshot = try await counter.snapshot(volume, ["SnapshotName": "before"])
        let copy = [
            "SnapshotId.1": snapshot, "DestinationRegion.1": Self.far, "DestinationSnapshotName": "far-1",
            "DestinationSnapshotDesc": "a copy",
        ]
        #expect(try await counter.ask("CopySnapshot", copy, .kec)["Return"] as? Bool == true)
        let there = try #require(counter.house.verbs(for: .root, in: Self.far))
        let made = try #require(try await there.snapshots.list().first)
        #expect(made.name == "far-1" && made.description == "a copy")
        #expect(try await there.snapshots.wait(for: made.id).copyOf?.region == "cn-beijing-6")
        let image = try #require(
            try await counter.ask("CreateImage", ["Name": "golden", "SnapshotIds.1": snapshot], .kec).text("ImageId"))
        let move = ["ImageId.1": image, "DestinationRegion.1": Self.far, "DestinationImageName": "far-golden"]
        #expect(try await counter.ask("CopyImage", move, .kec)["Return"] as? Bool == true)
        #expect(try await there.images.list().map(\.name) == ["far-golden"])
        for (action, parameters, change, code) in [
            ("CopySnapshot", copy, ["DestinationRegion.1": "mars"], "DestinationRegionInvalidParameterValue"),
            ("CopySnapshot", copy, ["DestinationRegion.1": "cn-beijing-6"], "DestinationRegionInvalidParameterValue"),
            ("CopySnapshot", copy, ["DestinationRegion.1": ""], "DestinationRegionRequired"),
            ("CopySnapshot", copy, ["SnapshotId.1": "x"], "SnapshotCanNotFoundError"),
            (
                "CopySnapshot", copy, ["DestinationSnapshotName": "auto-x"],
                "DestinationSnapshotNameInvalidParameterValue"
            ),
            ("CopyImage", move, [:], "DestinationImageNameInvalidParameterValue"),
            ("CopyImage", move, ["ImageId.1": "x"], "ImageCanNotFoundError"),
        ] as [(String, [String: String], [String: String], String)] {
            let said = try await counter.ask(action, parameters.merging(change) { $1 }, .kec)
            #expect(said.code == code, "\(action) \(change): \(said.body)")
        }
        await counter.house.close()
    }

    @Test("an image gets another name, which no other has")
    func rename() async throws {
        let counter = try await Counter()
        let snapshot = try await counter.snapshot(try await counter.volume())
        var images: [String] = []
        for name in ["first", "second"] {
            let made = try await counter.ask("CreateImage", ["Name": name, "SnapshotIds.1": snapshot], .kec)
            images.append(try #require(made.text("ImageId")))
        }
        for (name, code) in [
            ("third", nil), ("third", nil), ("second", "NameInvalidParameterValue"), ("x", "NameInvalidParameterValue"),
        ] {
            let said = try await counter.ask("ModifyImageAttribute", ["ImageId": images[0], "Name": name], .kec)
            #expect(said.code == code, "\(said.body)")
        }
        #expect(Set(try await counter.house.images.list().map(\.name)) == ["third", "second"])
        await counter.house.close()
    }
}
