import ControlPlane
import Testing

@testable import KingsoftDialect

@Suite struct RecycleTests {
    @Test("a deleted volume stays in the recycle bin, hidden from names, until it is recovered or purged")
    func bin() async throws {
        let counter = try await Counter()
        let volume = try await counter.volume("SSD3.0", ["VolumeName": "pvc-1"])
        #expect(try await counter.ask("RecoveryVolume", ["VolumeId": volume]).code == "VolumeStatusError")
        #expect(try await counter.ask("DeleteVolume", ["VolumeId": volume])["Return"] as? Bool == true)
        #expect(try await counter.ask("DescribeVolumes", ["VolumeExactName": "pvc-1"])["TotalCount"] as? Int == 0)
        for filter in [["VolumeId.1": volume], ["VolumeStatus": "recycling"]] {
            let shown = try await counter.ask("DescribeVolumes", filter).list("Volumes")
            #expect(shown.map { $0["VolumeStatus"] as? String } == ["recycling"])
        }
        #expect(try await counter.ask("CreateSnapshot", ["VolumeId": volume]).code == "VolumeCanNotFoundError")
        #expect(try await counter.ask("RecoveryVolume", ["VolumeId": volume])["Return"] as? Bool == true)
        let back = try await counter.ask("DescribeVolumes", ["VolumeExactName": "pvc-1"]).list("Volumes")
        #expect(back.map { $0["VolumeStatus"] as? String } == ["available"])
        #expect(
            try await counter.ask("DeleteVolume", ["VolumeId": volume, "ForceDelete": "false"])["Return"] as? Bool
                == true)
        #expect(
            try await counter.ask("DeleteVolume", ["VolumeId": volume, "ForceDelete": "true"])["Return"] as? Bool
                == true)
        #expect(try await counter.ask("DescribeVolumes", ["VolumeId.1": volume])["TotalCount"] as? Int == 0)
        #expect(try await counter.ask("RecoveryVolume", ["VolumeId": volume]).code == "VolumeCanNotFoundError")
        await counter.house.close()
    }

    @Test("a volume is rolled back while its instance is stopped, and stays attached")
    func rollBackStopped() async throws {
        let counter = try await Counter()
        let volume = try await counter.volume(), host = try await counter.instance()
        let snapshot = try await counter.snapshot(volume)
        _ = try await counter.ask("AttachVolume", ["VolumeId": volume, "InstanceId": host])
        let back = ["VolumeId": volume, "SnapshotId": snapshot]
        #expect(try await counter.ask("RollbackSnapshot", back).code == "InstanceStatusError")
        let stopped = try await counter.ask("StopInstances", ["InstanceId.1": host], .kec)
        #expect(stopped.list("InstancesSet").first?["Return"] as? Bool == true)
        #expect(try await counter.ask("RollbackSnapshot", back)["Return"] as? Bool == true)
        let shown = try await counter.ask("DescribeVolumes", ["VolumeId.1": volume]).list("Volumes").first
        #expect(shown?["VolumeStatus"] as? String == "in-use" && shown?["InstanceId"] as? String == host)
        #expect(shown?["SourceSnapshotId"] == nil)
        await counter.house.close()
    }
}
