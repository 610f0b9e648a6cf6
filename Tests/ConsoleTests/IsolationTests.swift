import Blocks
import ControlPlane
import Foundation
import TestSupport
import Testing

@testable import Console

/// Two accounts on one house: what one does is nothing to the other.
@Suite struct IsolationTests {
    private static let stranger = Caller(account: "200000000001", principal: "eve", role: .administrator)
    private static let reader = Caller(account: "100000000000", principal: "ann", role: .reader)

    private static func plan(_ volume: String) -> PolicyPlan {
        PolicyPlan(
            targets: .init(.volumes, ids: [volume]),
            schedules: [.init("daily", .every(hours: 24, from: TimeOfDay(minutes: 0)), keeping: .newest(count: 1))])
    }

    /// A house with one of everything that an account can own, and their ids by the word that stands for them in routes.
    private struct Setting {
        let scratch: ScratchDirectory
        let house: House
        let volume: String
        let importing: String
        let snapshot: String
        let instance: String
        let task: String
        let key: String
        let rule: String
        let binned: String
        let policy: String
        let image: String

        init() async throws {
            scratch = try ScratchDirectory("varve-isolation")
            house = try await House.open(HousePlan(data: scratch.path + "/data"), exports: Board())
            volume = try await house.volumes.create(CreateVolume(size: .mebibytes(1))).id
            importing = try await house.volumes.beginImport(size: .mebibytes(1), name: nil).id
            snapshot = try await house.snapshots.create(CreateSnapshot(volume: volume)).id
            _ = try await house.snapshots.wait(for: snapshot)
            task = try #require(try await house.tasks.list().first).id
            instance = try await house.instances.launch(NewInstances())[0].id
            let disk = NewImage.Disk("/dev/sda1", snapshot: snapshot)
            image = try await house.images.register(
                NewImage(ImageNames("base"), rootDevice: disk.device, disks: [disk])
            ).id
            policy = try await house.policies.create(IsolationTests.plan(volume), isEnabled: false).id
            key = try await house.accounts.createKey(for: "ci", role: .operator).id
            rule = try await house.bin.createRule(NewBinRule(resourceType: .snapshot, days: 1)).id
            binned = try await house.snapshots.create(CreateSnapshot(volume: volume)).id
            _ = try await house.snapshots.wait(for: binned)
            try await house.snapshots.delete(binned)
        }

        /// The route's path with the owner's ids, or with ids that nobody has.
        func path(of route: NativeRoute, isOwners: Bool) -> String {
            let noun = route.pattern[0]
            let others = ["snap-00000000000000000", "vol-00000000000000000"]
            let ids: [String] =
                switch noun {
                case "volumes": [isOwners ? volume : others[1]]
                case "imports": [isOwners ? importing : others[1]]
                case "snapshots": isOwners ? [snapshot, snapshot] : [others[0], others[0]]
                case "instances": isOwners ? [instance, volume] : ["i-00000000000000000", others[1]]
                case "images": [isOwners ? image : "ami-00000000000000000"]
                case "tasks": [isOwners ? task : "task-00000000000000000"]
                case "bin": [isOwners ? binned : others[0]]
                case "bin-rules": [isOwners ? rule : "NobodysRule"]
                case "policies": [isOwners ? policy : "policy-00000000000000000"]
                case "access-keys": [isOwners ? key : "VARVNOBODY"]
                case "accounts": [isOwners ? "100000000000" : "999999999999"]
                default: []
                }
            var rest = ids[...]
            return "/"
                + route.pattern.map { part in
                    part.hasPrefix("{") ? rest.popFirst() ?? "x" : part
                }.joined(separator: "/")
        }

        /// A body that names the owner's things, or nobody's.
        ///
        /// - Parameter isWhole: does it have what is needed to make something new?
        func body(of route: NativeRoute, isOwners: Bool, isWhole: Bool) -> [UInt8] {
            var fields: [String: Any] = [:]
            let snapshot = isOwners ? snapshot : "snap-00000000000000000"
            let volume = isOwners ? volume : "vol-00000000000000000"
            for key in route.keys {
                switch key {
                case "snapshotId": fields[key] = snapshot
                case "fromSnapshotId": fields[key] = snapshot
                case "isDisabled": fields[key] = true
                case "volumeId": fields[key] = volume
                case "volumeIds": fields[key] = [volume]
                case "sizeBytes" where route.method == "PATCH" || isWhole: fields[key] = 2 << 20
                case "name" where isWhole, "principal" where isWhole, "to" where isWhole,
                    "currency" where isWhole:
                    fields[key] = "new"
                case "plan" where route.method == "PATCH" || isWhole:
                    fields[key] = [
                        "targets": ["ids": [volume]],
                        "schedules": [["name": "daily", "when": ["every": ["hours": 24, "from": "03:00"]]]],
                    ]
                case "isActive": fields[key] = false
                case "agent": fields[key] = "host"
                case "state": fields[key] = "stopped"
                case "mode": fields[key] = "governance"
                case "resourceType" where isWhole: fields[key] = "snapshot"
                case "days": fields[key] = 1
                case "level" where isWhole: fields[key] = "live"
                case "addAccounts": fields[key] = [IsolationTests.stranger.account]
                case "isPublic": fields[key] = true
                case "publicAccess": fields[key] = "block-new-sharing"
                default: break
                }
            }
            return route.takesBytes || fields.isEmpty
                ? [] : Array((try? JSONSerialization.data(withJSONObject: fields)) ?? Data())
        }
    }

    private static func answer(
        _ setting: Setting, _ route: NativeRoute, isOwners: Bool, isWhole: Bool = false, for caller: Caller
    ) async -> (status: Int, text: String) {
        let answer = await NativeAPI(setting.house).answer(
            NativeRequest(
                method: route.method, path: setting.path(of: route, isOwners: isOwners),
                query: route.query.contains("offset") ? "offset=0" : "",
                body: setting.body(of: route, isOwners: isOwners, isWhole: isWhole)),
            for: caller)
        return (answer.status, String(decoding: answer.body, as: UTF8.self))
    }

    /// With every id replaced by its prefix, so that only ids themselves may differ.
    private static func withoutIDs(_ text: String, _ setting: Setting) -> String {
        var text = text
        for id in [setting.volume, setting.importing, "vol-00000000000000000"] {
            text = text.replacingOccurrences(of: id, with: "VOLUME")
        }
        for id in [setting.snapshot, setting.binned, "snap-00000000000000000"] {
            text = text.replacingOccurrences(of: id, with: "SNAPSHOT")
        }
        // Before instances: their prefix ends like that of those.
        for id in [setting.image, "ami-00000000000000000"] { text = text.replacingOccurrences(of: id, with: "IMAGE") }
        for id in [setting.instance, "i-00000000000000000"] {
            text = text.replacingOccurrences(of: id, with: "INSTANCE")
        }
        for id in [setting.task, "task-00000000000000000"] { text = text.replacingOccurrences(of: id, with: "TASK") }
        for id in [setting.rule, "NobodysRule"] { text = text.replacingOccurrences(of: id, with: "RULE") }
        for id in [setting.policy, "policy-00000000000000000"] {
            text = text.replacingOccurrences(of: id, with: "POLICY")
        }
        for id in [setting.key, "VARVNOBODY"] { text = text.replacingOccurrences(of: id, with: "KEY") }
        return text
    }

    @Test("no route tells a stranger whether something of another account exists")
    func nothingLeaks() async throws {
        let setting = try await Setting()
        for route in NativeAPI.routes {
            let name = "\(route.method) /\(route.pattern.joined(separator: "/"))"
            let owners = await Self.answer(setting, route, isOwners: true, for: Self.stranger)
            let nobodys = await Self.answer(setting, route, isOwners: false, for: Self.stranger)
            #expect(owners.status == nobodys.status, "\(name)")
            #expect(Self.withoutIDs(owners.text, setting) == Self.withoutIDs(nobodys.text, setting), "\(name)")
            let hasPlace = route.pattern.contains { $0.hasPrefix("{") }
            if hasPlace { #expect([403, 404].contains(owners.status), "\(name) answers \(owners.status)") }
            for id in [
                setting.volume, setting.snapshot, setting.instance, setting.task, setting.key, setting.rule,
                setting.binned, setting.policy, setting.image,
            ]
            // Events say what the stranger asked for.
            where !hasPlace && route.keys.isEmpty && route.pattern != ["events"] {
                #expect(!owners.text.contains(id), "\(name) shows \(id)")
            }
        }
        // Nothing of it was touched.
        #expect(try await setting.house.volumes.show(setting.volume).state == .available)
        #expect(try await setting.house.volumes.show(setting.importing).state == .creating)
        #expect(try await setting.house.snapshots.show(setting.snapshot).state == .completed)
        #expect(try await setting.house.images.show(setting.image).state == .available)
        #expect(setting.house.holder(of: setting.key) != nil)
        #expect(try await setting.house.bin.rule(setting.rule).lockState == .unlocked)
        #expect(try await setting.house.bin.holds(setting.binned))
        #expect(try await setting.house.snapshots.sharing(of: setting.snapshot) == SnapshotSharing())
        #expect(try await setting.house.snapshots.publicAccess() == .unblocked)
        await setting.house.close()
    }

    @Test("a reader of the same account sees everything and changes nothing")
    func readerOnlyLooks() async throws {
        let setting = try await Setting()
        #expect(
            try await setting.house.verbs(for: Self.reader).volumes.list().map(\.id).sorted()
                == [setting.volume, setting.importing].sorted())
        for route in NativeAPI.routes where route.method != "GET" {
            let answer = await Self.answer(setting, route, isOwners: true, isWhole: true, for: Self.reader)
            #expect(answer.status == 403, "\(route.method) /\(route.pattern.joined(separator: "/")): \(answer)")
        }
        await setting.house.close()
    }
}
