import ControlPlane
import Testing

@testable import KingsoftDialect

@Suite struct TypeTests {
    @Test("a volume becomes one of another type, and is as fast as that says")
    func types() async throws {
        let counter = try await Counter()
        let volume = try await counter.volume("SSD3.0", ["Size": "50"])
        let small = try await counter.ask(
            "ModifyVolumeType", ["VolumeId": volume, "PerformanceLevelVolumeCategory": "ESSD_PL2"])
        #expect(small.code == "PerformanceVolumeSizeInvalidParameterValue", "\(small.body)")
        #expect(
            try await counter.ask("ModifyVolumeType", ["VolumeId": volume, "PerformanceLevelVolumeCategory": "gp3"])
                .code
                == "PerformanceLevelVolumeCategoryInvalidParameterValue")
        #expect(
            try await counter.ask("ModifyVolumeType", ["VolumeId": volume, "PerformanceVolumeSize": "60"]).code == nil)
        let shown = try #require(try await counter.ask("DescribeVolumes", ["VolumeId.1": volume]).list("Volumes").first)
        #expect(shown["VolumeType"] as? String == "ESSD_PL1" && shown["Size"] as? Int == 60)
        #expect(try await counter.house.volumes.list()[0].profile.iops == 1800 + 50 * 60)
        #expect(try await counter.ask("ModifyVolumeType", ["VolumeId": volume]).code == "VolumeIdInvalidParameterValue")
        #expect(
            try await counter.ask("ModifyVolumePreset", ["VolumeId": volume, "ProvisionedIops": "7"]).code
                == "VolumeIdInvalidParameterValue")
        let auto = try await counter.volume("ESSD_AutoPL")
        #expect(
            try await counter.ask("ModifyVolumePreset", ["VolumeId": auto, "ProvisionedIops": "700"])["Return"] as? Bool
                == true)
        #expect(try await counter.ask("ResizeVolume", ["VolumeId": auto, "Size": "41"])["Return"] as? Bool == true)
        let grown = try #require(try await counter.house.volumes.list().first { $0.profile.kind == "ESSD_AutoPL" })
        #expect(grown.profile.iops == 1800 + 50 * 41 + 700)
        await counter.house.close()
    }

    @Test("a common snapshot stays one, and a volume is of its new type at once")
    func done() async throws {
        let counter = try await Counter()
        let volume = try await counter.volume(), snapshot = try await counter.snapshot(volume)
        #expect(try await counter.ask("ModifySnapshotType", ["SnapshotIds.1": snapshot])["Result"] as? Bool == true)
        #expect(try await counter.ask("ModifySnapshotType", ["SnapshotId": "x"]).code == "SnapshotCanNotFoundError")
        let upgrade = try await counter.ask(
            "GetUpgradeVolumeTypeProcessInfo",
            ["VolumeId.1": volume, "VolumeId.2": "00000000-0000-4000-8000-000000000000"])
        #expect(upgrade.list("Result").map { $0["VolumeId"] as? String } == [volume])
        let process = upgrade.list("Result").first?["Process"] as? [String: Any]
        #expect(process?["LatestDataDone"] as? Bool == true && process?["PrepareProcess"] as? Int == 100)
        await counter.house.close()
    }
}
