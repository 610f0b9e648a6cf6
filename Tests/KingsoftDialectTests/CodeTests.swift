import Blocks
import ControlPlane
import Foundation
import Simulation
import TestSupport
import Testing

@testable import KingsoftDialect

/// Every code that this door can say is said here once: a new one does not compile until there is a way to provoke it.
@Suite struct CodeTests {
    private static let nobody = "00000000-0000-4000-8000-000000000000"

    @Test("every code that this door says can be provoked", arguments: KingsoftCode.allCases)
    func provoked(_ code: KingsoftCode) async throws {
        let counter = try await Counter("varve-kingsoft-codes") { plan in
            guard code == .throttling else { return }
            plan.rates = .aws
            // Two requests are within seconds by a clock that stands still, and not always by the machine's.
            plan.clock = ManualClock()
            plan.scrubEvery = nil
        }
        let said = try await provoke(code, counter)
        #expect(said == code.rawValue)
        await counter.house.close()
    }

    private func provoke(_ code: KingsoftCode, _ counter: Counter) async throws -> String? {
        switch code {
        case .missingAuthenticationToken: try refused(counter, .notSigned)
        case .signatureDoesNotMatch: try refused(counter, .wrongSignature)
        case .accessKeyNotRecognized: try refused(counter, .unknownKey)
        case .requestExpired: try refused(counter, .expired)
        case .accessDenied:
            try await counter.ask(
                "CreateVolume", as: Caller(account: Caller.root.account, principal: "ann", role: .reader)
            ).code
        case .invalidParameterValue: try refused(counter, .tooLarge)
        case .unsupportedAction: try await counter.ask("CreateSnapshot", [:], .kec).code
        case .unsupportedParameter: try await counter.ask("DescribeVolumes", ["Sort": "x"]).code
        case .volumeCanNotFoundError: try await counter.ask("DeleteVolume", ["VolumeId": Self.nobody]).code
        case .snapshotCanNotFoundError: try await counter.ask("DeleteSnapshot", ["SnapshotId": Self.nobody]).code
        case .instanceCanNotFoundError:
            try await counter.ask("StartInstances", ["InstanceId.1": Self.nobody], .kec).code
        case .imageCanNotFoundError: try await counter.ask("RemoveImages", ["ImageId": Self.nobody], .kec).code
        case .autoSnapshotPolicyCanNotFoundError:
            try await counter.ask("DeleteAutoSnapshotPolicy", ["AutoSnapshotPolicyId.1": Self.nobody], .kec).code
        case .volumeStatusError:
            try await counter.ask("DetachVolume", ["VolumeId": try await counter.volume()]).code
        case .snapshotStatusError: try await deletingLocked(counter)
        case .instanceStatusError:
            try await counter.ask("CreateImage", ["Name": "empty", "InstanceId": try await counter.instance()], .kec)
                .code
        case .snapshotCreatingConflict: try await twoAtOnce(counter)
        case .volumeSnapshotMismatch:
            try await counter.ask(
                "RollbackSnapshot",
                [
                    "SnapshotId": try await counter.snapshot(try await counter.volume()),
                    "VolumeId": try await counter.volume(),
                ]
            ).code
        case .snapshotCreatedImage: try await deletingUsed(counter)
        case .volumeTypeNotSupportSnapshot: try await counter.volumeOf("ESSD_PL1")
        case .snapshotQuotaExceeded: try await beyondQuota(counter)
        case .policyQuotaExceeded: try await manyPolicies(counter)
        case .throttling: try await oneAfterTheOther(counter)
        case .serviceTimeout: try await rollingBack(counter) { try FileManager.default.removeItem(at: $0) }
        case .internalFailure: try await rollingBack(counter, spoil)
        }
    }

    private func refused(_ counter: Counter, _ reason: KingsoftRefusal) throws -> String? {
        let body = counter.dialect.refusal(reason, isJSON: true).body
        let answer = try JSONSerialization.jsonObject(with: Data(body.utf8)) as? [String: Any]
        return (answer?["Error"] as? [String: Any])?["Code"] as? String
    }

    private func deletingLocked(_ counter: Counter) async throws -> String? {
        let snapshot = try await counter.snapshot(try await counter.volume())
        let id = try #require(KingsoftID.id(snapshot, .snapshot))
        _ = try await counter.house.snapshots.lock(id, LockSnapshot(mode: .governance, end: .days(1)))
        return try await counter.ask("DeleteSnapshot", ["SnapshotId": snapshot]).code
    }

    private func deletingUsed(_ counter: Counter) async throws -> String? {
        let snapshot = try await counter.snapshot(try await counter.volume())
        _ = try await counter.ask("CreateImage", ["Name": "golden", "SnapshotIds.1": snapshot], .kec)
        return try await counter.ask("DeleteSnapshot", ["SnapshotId": snapshot]).code
    }

    /// While the store is away nothing is done with being created.
    private func twoAtOnce(_ counter: Counter) async throws -> String? {
        let volume = ["VolumeId": try await counter.volume()]
        let store = URL(filePath: counter.scratch.path + "/data/store")
        try FileManager.default.moveItem(at: store, to: store.appendingPathExtension("away"))
        _ = try await counter.ask("CreateSnapshot", volume)
        return try await counter.ask("CreateSnapshot", volume).code
    }

    private func beyondQuota(_ counter: Counter) async throws -> String? {
        _ = try await counter.house.quotas.set(.snapshots, to: 1)
        let volume = try await counter.volume()
        _ = try await counter.snapshot(volume)
        return try await counter.ask("CreateSnapshot", ["VolumeId": volume]).code
    }

    private func manyPolicies(_ counter: Counter) async throws -> String? {
        let asked = ["AutoSnapshotPolicyName": "many", "AutoSnapshotTime": "1", "AutoSnapshotDate.1": "1"]
        for _ in 0..<10 { _ = try await counter.ask("CreateAutoSnapshotPolicy", asked, .kec) }
        return try await counter.ask("CreateAutoSnapshotPolicy", asked, .kec).code
    }

    /// Two of one volume within seconds, where the server holds the rates of another cloud.
    private func oneAfterTheOther(_ counter: Counter) async throws -> String? {
        let volume = try await counter.volume()
        _ = try await counter.snapshot(volume)
        return try await counter.ask("CreateSnapshot", ["VolumeId": volume]).code
    }

    /// To a snapshot that is not the last one, which needs the store, after something happened to that.
    private func rollingBack(_ counter: Counter, _ happens: (URL) throws -> Void) async throws -> String? {
        let volume = try await counter.volume()
        let first = try await counter.snapshot(volume)
        _ = try await counter.snapshot(volume)
        try happens(URL(filePath: counter.scratch.path + "/data/store"))
        return try await counter.ask("RollbackSnapshot", ["VolumeId": volume, "SnapshotId": first]).code
    }

    private func spoil(_ store: URL) throws {
        let all = FileManager.default.enumerator(at: store, includingPropertiesForKeys: [.isRegularFileKey])
        while let file = all?.nextObject() as? URL {
            guard try file.resourceValues(forKeys: [.isRegularFileKey]).isRegularFile == true else { continue }
            try Data("spoilt".utf8).write(to: file)
        }
    }
}

extension Counter {
    /// The code of a snapshot of a new volume of a type.
    fileprivate func volumeOf(_ type: String) async throws -> String? {
        try await ask("CreateSnapshot", ["VolumeId": try await volume(type)]).code
    }
}
