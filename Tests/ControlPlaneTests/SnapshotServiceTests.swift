import Blocks
import Catalog
import ControlPlane
import TestSupport
import Testing

@Suite(.serialized) struct SnapshotServiceTests {
    @Test("two snapshots, the first deleted, the second restored, the volume rolled back")
    func story() async throws {
        let fixture = try await HouseFixture()
        let volume = try await fixture.volume(.mebibytes(1))
        try await fixture.write(volume, 0..<100, 1)
        let first = try await fixture.snapshot(volume)
        let full = try await fixture.snapshots.show(first)
        #expect(
            full.state == .completed && full.progress == 1 && full.parentId == nil && full.volumeSizeBytes == 1 << 20)
        #expect(full.changedBytes == 100 * 4096 && (full.storedBytes ?? 0) > 0 && full.completedAt != nil)
        #expect(try await fixture.volumes.show(volume).parentSnapshotId == first)

        try await fixture.write(volume, 10..<20, 2)
        let second = try await fixture.snapshot(volume)
        #expect(try await fixture.snapshots.show(second).parentId == first)
        #expect(try await fixture.snapshots.show(second).changedBytes == 10 * 4096)
        let diff = try await fixture.snapshots.diff(first, second)
        #expect(diff == SnapshotDiff(ranges: [.init(offset: 10 * 4096, length: 10 * 4096)], bytes: 10 * 4096))

        let now = try await fixture.look(volume)
        try await fixture.write(volume, 0..<256, 3)
        try await fixture.snapshots.delete(first)
        #expect(await refusal { try await fixture.snapshots.show(first) } == .missing)
        _ = try await fixture.house.store.reclaim(grace: .zero)
        #expect(try await fixture.restore(second) == now)
        #expect(try await fixture.snapshots.verify(second).isSound)

        #expect(await refusal { try await fixture.volumes.rollBack(volume, to: second) } == .inUse)
        _ = try await fixture.volumes.detach(volume)
        _ = try await fixture.volumes.rollBack(volume, to: second)
        _ = try await fixture.volumes.attach(volume)
        #expect(try await fixture.look(volume) == now)
        #expect(try await fixture.volumes.show(volume).parentSnapshotId == second)
        await fixture.house.close()
    }

    @Test("a snapshot holds the cut's content while the volume is overwritten")
    func underWrites() async throws {
        let fixture = try await HouseFixture()
        let volume = try await fixture.volume(.mebibytes(4))
        var expected: [(String, UInt8)] = []
        for round in UInt8(1)...5 {
            try await fixture.write(volume, 0..<1024, round)
            expected.append((try await fixture.snapshot(volume, wait: false), round))
        }
        for (id, round) in expected {
            _ = try await fixture.snapshots.wait(for: id)
            #expect(try await fixture.look(snapshot: id) == [UInt8](repeating: round, count: 1024))
        }
        await fixture.house.close()
    }

    @Test("of five pending snapshots any one is deleted, and the others are what they were", arguments: 0..<5)
    func deletePending(victim: Int) async throws {
        let fixture = try await HouseFixture()
        let volume = try await fixture.volume(.mebibytes(1))
        try fixture.hideStore()
        var ids: [String] = []
        var images: [[UInt8]] = []
        for round in 0..<5 {
            try await fixture.write(volume, round * 7..<round * 7 + 20, UInt8(round + 1))
            images.append(try await fixture.look(volume))
            ids.append(try await fixture.snapshot(volume, wait: false))
        }
        try await fixture.write(volume, 0..<256, 99)
        try await fixture.snapshots.delete(ids[victim])
        #expect(await refusal { try await fixture.snapshots.show(ids[victim]) } == .missing)
        #expect(try await fixture.snapshots.list().map(\.id) == ids.filter { $0 != ids[victim] })
        try fixture.showStore()
        fixture.house.store.retryUploads()
        for (id, image) in zip(ids, images) where id != ids[victim] {
            #expect(try await fixture.snapshots.wait(for: id).state == .completed)
            #expect(try await fixture.look(snapshot: id) == image)
        }
        try await fixture.eventually("the deletion ends") {
            try await fixture.house.tasks.list().allSatisfy { $0.state != .waiting && $0.state != .running }
        }
        #expect(try await fixture.house.store.status().snapshotCount == 4)
        #expect(try await fixture.look(volume) == [UInt8](repeating: 99, count: 256))
        await fixture.house.close()
    }

    @Test(
        "snapshots of a chain are deleted in any order, and the rest still restore",
        arguments: [
            [0, 1, 2, 3], [3, 2, 1, 0], [1, 3, 0, 2], [2, 0, 3, 1],
        ])
    func anyOrder(order: [Int]) async throws {
        let fixture = try await HouseFixture()
        let volume = try await fixture.volume(.mebibytes(1))
        var ids: [String] = []
        var images: [[UInt8]] = []
        for round in 0..<5 {
            try await fixture.write(volume, round * 5..<round * 5 + 30, UInt8(round + 1))
            images.append(try await fixture.look(volume))
            ids.append(try await fixture.snapshot(volume))
        }
        for victim in order {
            try await fixture.snapshots.delete(ids[victim])
            _ = try await fixture.house.store.reclaim(grace: .zero)
            let left = try await fixture.snapshots.list().map(\.id)
            #expect(!left.contains(ids[victim]))
            for id in left {
                let index = try #require(ids.firstIndex(of: id))
                #expect(try await fixture.look(snapshot: id) == images[index])
            }
        }
        // The chain goes on from whatever is left.
        try await fixture.write(volume, 200..<210, 77)
        let last = try await fixture.snapshot(volume)
        #expect(try await fixture.look(snapshot: last) == fixture.look(volume))
        #expect(try await fixture.house.store.verify().isSound)
        await fixture.house.close()
    }

    @Test("that a snapshot was this account's and is deleted is known for ever, and to nobody else")
    func deletedForEver() async throws {
        let fixture = try await HouseFixture()
        let volume = try await fixture.volume()
        let first = try await fixture.snapshot(volume), second = try await fixture.snapshot(volume)
        #expect(try await !fixture.snapshots.isDeleted(first))
        try await fixture.snapshots.delete(first)
        try fixture.hideStore()
        try await fixture.snapshots.delete(second)
        // The second's record is still there, the first's is not.
        for id in [first, second] { #expect(try await fixture.snapshots.isDeleted(id)) }
        try fixture.showStore()
        try await fixture.reopen()
        for id in [first, second] { #expect(try await fixture.snapshots.isDeleted(id)) }
        #expect(try await !fixture.snapshots.isDeleted("snap-00000000000000000"))
        #expect(await refusal { try await fixture.snapshots.isDeleted("snap-1") } == .invalid)
        let (id, others) = try await fixture.otherAccount()
        #expect(try await !others.snapshots.isDeleted(first))
        let theirs = try await others.volumes.create(CreateVolume(size: 512)).id
        let third = try await others.snapshots.create(CreateSnapshot(volume: theirs)).id
        _ = try await others.snapshots.wait(for: third)
        try await others.snapshots.delete(third)
        try await others.volumes.delete(theirs)
        #expect(try await others.snapshots.isDeleted(third))
        #expect(try await !fixture.snapshots.isDeleted(third))
        // It does not keep an account from going.
        try await fixture.eventually("the account goes") {
            await refusal { try await fixture.house.accounts.delete(id) } == nil
        }
        await fixture.house.close()
    }

    @Test("the parent is deleted, then the volume goes on: nothing of what changed is missed")
    func rebase() async throws {
        let fixture = try await HouseFixture()
        let volume = try await fixture.volume(.mebibytes(1))
        for round in 0..<6 {
            try await fixture.write(volume, round * 10..<round * 10 + 15, UInt8(round + 1))
            let id = try await fixture.snapshot(volume)
            #expect(try await fixture.look(snapshot: id) == fixture.look(volume))
            if round % 2 == 1 {
                try await fixture.snapshots.delete(id)
                try await fixture.eventually("the volume builds on another one") {
                    try await fixture.volumes.show(volume).parentSnapshotId != id
                }
            }
        }
        for id in try await fixture.snapshots.list().map(\.id) { try await fixture.snapshots.delete(id) }
        try await fixture.eventually("the volume builds on none") {
            try await fixture.volumes.show(volume).parentSnapshotId == nil
        }
        _ = try await fixture.house.store.reclaim(grace: .zero)
        let full = try await fixture.snapshot(volume)
        #expect(try await fixture.snapshots.show(full).parentId == nil)
        #expect(try await fixture.look(snapshot: full) == fixture.look(volume))
        await fixture.house.close()
    }

    @Test(
        "a group is one cut: of writes made one after the other on two volumes, the later is in only with the earlier")
    func group() async throws {
        let fixture = try await HouseFixture()
        let a = try await fixture.volume(.mebibytes(1)), b = try await fixture.volume(.mebibytes(1))
        let stop = Guarded(false)
        let first = try fixture.device(a), second = try fixture.device(b)
        async let writer: Void = onThread {
            var round: UInt8 = 0
            while !stop.withLock({ $0 }) {
                round = round == 200 ? 1 : round + 1
                let bytes = [UInt8](repeating: round, count: 4096)
                let range = ByteRange(at: 0, count: 4096)
                try bytes.readBytes { (all) throws(BlockFailure) in try first.write(range, from: all, durably: false) }
                try bytes.readBytes { (all) throws(BlockFailure) in try second.write(range, from: all, durably: false) }
            }
        }
        var groups: [[SnapshotView]] = []
        for _ in 0..<5 {
            groups.append(try await fixture.snapshots.createGroup(of: [b, a], name: "g", description: "d"))
        }
        stop.withLock { $0 = true }
        try await writer
        for group in groups {
            #expect(group.map(\.volumeId) == [b, a])
            #expect(group[0].groupId == group[1].groupId && group[0].groupId != nil)
            for member in group { _ = try await fixture.snapshots.wait(for: member.id) }
            let later = try await fixture.look(snapshot: group[0].id)[0]
            let earlier = try await fixture.look(snapshot: group[1].id)[0]
            #expect(
                later == earlier || earlier == later + 1 || (later == 200 && earlier == 1), "\(earlier) then \(later)")
        }
        await fixture.house.close()
    }

    @Test("an exported snapshot is read-only; deleting it ends the export")
    func exported() async throws {
        let fixture = try await HouseFixture()
        let volume = try await fixture.volume(1_000_448)
        try await fixture.write(volume, 2..<4, 8)
        let id = try await fixture.snapshot(volume)
        let attachment = try await fixture.snapshots.attach(id)
        #expect(try await fixture.snapshots.attach(id) == attachment)
        #expect(try await fixture.snapshots.show(id).uri == attachment.uri)
        let device = try fixture.device(id)
        #expect(device.isReadOnly && device.size == 1_000_448)
        let failures = try await onThread {
            let range = ByteRange(at: 0, count: 512)
            let failures = [
                refused { () throws(BlockFailure) in
                    try [UInt8](repeating: 1, count: 512).readBytes { (all) throws(BlockFailure) in
                        try device.write(range, from: all, durably: true)
                    }
                },
                refused { () throws(BlockFailure) in try device.trim(range, durably: false) },
                refused { () throws(BlockFailure) in try device.zero(range, mayPunch: true, durably: false) },
            ]
            var odd = [UInt8](repeating: 0, count: 5000)
            try odd.writeBytes { (b) throws(BlockFailure) in try device.read(ByteRange(at: 8000, count: 5000), into: &b)
            }
            #expect(odd == [UInt8](repeating: 0, count: 192) + [UInt8](repeating: 8, count: 4808))
            let extents = try device.allocation(in: ByteRange(at: 0, count: device.size))
            #expect(extents.first?.range.start == 0 && extents.last?.range.end == 1_000_448)
            #expect(extents.contains { $0.isSet && $0.range.intersection(ByteRange(at: 8192, count: 8192)) != nil })
            return failures
        }
        #expect(failures == [BlockFailure.readOnly, .readOnly, .readOnly])
        try await fixture.snapshots.delete(id)
        #expect(fixture.board.names == [volume])
        try await fixture.reopen()
        #expect(fixture.board.names == [volume])
        await fixture.house.close()
    }

    @Test("pending snapshots go on after a restart, and after the volume was deleted")
    func pendingSurvives() async throws {
        let fixture = try await HouseFixture()
        let volume = try await fixture.volume()
        try fixture.hideStore()
        try await fixture.write(volume, 0..<9, 1)
        let first = try await fixture.snapshot(volume, wait: false)
        try await fixture.write(volume, 5..<20, 2)
        let second = try await fixture.snapshot(volume, wait: false)
        _ = try await fixture.volumes.detach(volume)
        try await fixture.reopen()
        #expect(try await fixture.snapshots.list().map(\.state) == [.pending, .pending])
        try await fixture.volumes.delete(volume)
        #expect(try await fixture.volumes.show(volume).state == .deleting)
        #expect(await refusal { try await fixture.volumes.attach(volume) } == .wrongState)
        try await fixture.reopen()
        try fixture.showStore()
        fixture.house.store.retryUploads()
        for id in [first, second] { _ = try await fixture.snapshots.wait(for: id) }
        try await fixture.eventually("the volume goes") { try await fixture.volumes.list().isEmpty }
        #expect(try await fixture.look(snapshot: first)[0..<10] == [1, 1, 1, 1, 1, 1, 1, 1, 1, 0])
        #expect(try await fixture.restore(second)[4..<21] == [1] + ArraySlice(repeating: 2, count: 15) + [0])
        #expect(try await fixture.snapshots.list(of: volume).count == 2)
        await fixture.house.close()
    }

    @Test("a cut that the catalog lost is finished when later snapshots build on it")
    func lostRecord() async throws {
        let fixture = try await HouseFixture()
        let volume = try await fixture.volume()
        try fixture.hideStore()
        try await fixture.write(volume, 0..<9, 1)
        let lost = try await fixture.snapshot(volume, wait: false)
        try await fixture.write(volume, 5..<20, 2)
        let known = try await fixture.snapshot(volume, wait: false)
        await fixture.house.close()
        let catalog = try Catalog(sqlite: fixture.data + "/catalog.sqlite")
        try catalog.changeWaiting { try $0.deleteSnapshot(lost) }
        catalog.close()
        try fixture.showStore()
        try await fixture.reopen()
        _ = try await fixture.snapshots.wait(for: known)
        #expect(try await fixture.look(snapshot: known)[4..<21] == [1] + ArraySlice(repeating: 2, count: 15) + [0])
        #expect(try await fixture.snapshots.list().map(\.id) == [known])
        try await fixture.eventually("the lost one is deleted") {
            try await fixture.house.store.status().snapshotCount == 1
        }
        await fixture.house.close()
    }

    @Test("watching a snapshot ends with its completion")
    func watch() async throws {
        let fixture = try await HouseFixture()
        let volume = try await fixture.volume(.mebibytes(8))
        try await fixture.write(volume, 0..<2048, 1)
        let id = try await fixture.snapshot(volume, wait: false)
        var last: SnapshotView?
        for await view in try await fixture.snapshots.watch(id) {
            #expect(view.progress >= last?.progress ?? 0)
            last = view
        }
        #expect(last?.state == .completed && last?.progress == 1)
        await fixture.house.close()
    }

    @Test("progress never falls, however close one looks")
    func progressRises() async throws {
        let fixture = try await HouseFixture()
        let volume = try await fixture.volume(.mebibytes(8))
        for round in 0..<10 {
            try await fixture.write(volume, 0..<512, UInt8(round + 1))
            let id = try await fixture.snapshot(volume, wait: false)
            var reached = 0.0
            while true {
                let view = try await fixture.snapshots.show(id)
                let ofTask = try #require(try await fixture.house.tasks.list().first { $0.subjectId == id })
                try #require(view.progress >= reached && ofTask.progress >= view.progress)
                reached = ofTask.progress
                if view.state == .completed { break }
            }
        }
        await fixture.house.close()
    }

    @Test("every snapshot comes back from the store alone")
    func recover() async throws {
        let fixture = try await HouseFixture()
        let volume = try await fixture.volume()
        try await fixture.write(volume, 0..<9, 1)
        let first = try await fixture.snapshots.create(
            CreateSnapshot(volume: volume, name: "näme", description: "why not")
        ).id
        _ = try await fixture.snapshots.wait(for: first)
        try await fixture.write(volume, 3..<5, 2)
        let second = try await fixture.snapshot(volume)
        let views = try await fixture.snapshots.list()
        let image = try await fixture.look(volume)
        await fixture.house.close()

        let plan = HousePlan(data: fixture.data + "-new", store: fixture.data + "/store")
        let report = try await House.recover(plan)
        #expect(report == RecoverReport(snapshotCount: 2, unfinishedUploadCount: 0, problems: []))
        #expect(await refusal { try await House.recover(plan) } == .wrongState)
        let house = try await House.open(HousePlan(data: plan.data), exports: fixture.board)
        #expect(try await house.snapshots.list() == views)
        let restored = try await house.volumes.create(CreateVolume(size: nil, origin: .snapshot(second)))
        _ = try await house.volumes.attach(restored.id)
        #expect(try await fixture.look(restored.id) == image)
        await house.close()
        let nowhere = HousePlan(data: fixture.data + "-other", store: fixture.data + "-nowhere")
        #expect(await refusal { try await House.recover(nowhere) } == .unavailable)
        #expect(try LocalDisk().facts(fixture.data + "-other") == nil)
    }
}

private func refused(_ body: () throws(BlockFailure) -> Void) -> BlockFailure? {
    do {
        try body()
        return nil
    } catch { return error }
}
