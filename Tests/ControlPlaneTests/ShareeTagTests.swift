import Blocks
import Catalog
import Testing

@testable import ControlPlane

/// Tags that accounts write on what others share with them.
@Suite struct ShareeTagTests {
    private struct Setting {
        let fixture: HouseFixture
        let bob: Caller
        let eve: Caller
        let snapshot: String
        let image: String

        var owner: Verbs { fixture.house.verbs(for: .root) }
        var bobs: Verbs { fixture.house.verbs(for: bob) }
        var eves: Verbs { fixture.house.verbs(for: eve) }

        init() async throws {
            let fixture = try await RegionTests.fixture()
            self.fixture = fixture
            let callers = try await ["bob", "eve"].asyncMap { name in
                let account = try await fixture.house.accounts.create(named: name).id
                return Caller(account: account, principal: name, role: .administrator)
            }
            (bob, eve) = (callers[0], callers[1])
            let volume = try await fixture.volume(.gibibytes(1))
            let request = CreateSnapshot(volume: volume, tags: ["owner": "secret"])
            let made = try await fixture.snapshots.create(request).id
            _ = try await fixture.snapshots.wait(for: made)
            snapshot = made
            let disk = NewImage.Disk("/dev/sda1", snapshot: made)
            var names = ImageNames("image")
            names.tags = ["owner": "secret"]
            image = try await fixture.house.images.register(
                NewImage(names, rootDevice: disk.device, disks: [disk])
            ).id
            for caller in callers { try await share(with: caller.account) }
        }

        func share(with account: String) async throws {
            _ = try await owner.snapshots.share(snapshot, SharingChange(adding: [account]))
            _ = try await owner.images.share(image, SharingChange(adding: [account]))
        }

        func unshare(with account: String) async throws {
            _ = try await owner.snapshots.share(snapshot, SharingChange(removing: [account]))
            _ = try await owner.images.share(image, SharingChange(removing: [account]))
        }

        /// What a caller sees of both, wherever they look.
        func tags(_ verbs: Verbs) async throws -> Set<[String: String]?> {
            var selection = SnapshotSelection()
            selection.ids = [snapshot]
            var seen: Set<[String: String]?> = [
                try await verbs.snapshots.show(snapshot).tags, try await verbs.snapshots.find(snapshot).tags,
                try await verbs.images.show(image).tags,
            ]
            for view in try await verbs.snapshots.page(selection).snapshots { seen.insert(view.tags) }
            for view in try await verbs.snapshots.sharedWithCaller() { seen.insert(view.tags) }
            for view in try await verbs.images.list() { seen.insert(view.tags) }
            return seen
        }

        func rows() async throws -> Int {
            try await fixture.house.household.catalog.change { [snapshot, image, bob, eve] session in
                try [bob, eve].reduce(0) { sum, caller in
                    try session.shareeTags(onAll: [snapshot, image], by: caller.account).values
                        .reduce(sum) { $0 + $1.count }
                }
            }
        }
    }

    @Test("each account has its own, and the owner sees none of them, nor they the owner's")
    func apart() async throws {
        let setting = try await Setting(), both = [setting.snapshot, setting.image]
        #expect(try await setting.tags(setting.bobs) == [nil])
        try await setting.bobs.tags.set(["a": "1", "owner": "bob"], on: both)
        try await setting.eves.tags.set(["a": "2"], on: both)
        #expect(try await setting.tags(setting.bobs) == [["a": "1", "owner": "bob"]])
        #expect(try await setting.tags(setting.eves) == [["a": "2"]])
        #expect(try await setting.tags(setting.owner) == [["owner": "secret"]])
        try await setting.owner.tags.set(["a": "3"], on: both)
        try await setting.bobs.tags.remove(["a": "other", "owner": nil], from: both)
        #expect(try await setting.tags(setting.bobs) == [["a": "1"]])
        try await setting.bobs.tags.remove(nil, from: both)
        #expect(try await setting.tags(setting.bobs) == [nil])
        #expect(try await setting.tags(setting.owner) == [["owner": "secret", "a": "3"]])
        #expect(try await setting.tags(setting.eves) == [["a": "2"]])
        let many = Dictionary(uniqueKeysWithValues: (0..<50).map { ("k\($0)", "") })
        #expect(await refusal { try await setting.eves.tags.set(many, on: both) } == .limitExceeded)
        #expect(try await setting.tags(setting.eves) == [["a": "2"]])
        await setting.fixture.house.close()
    }

    @Test("they are hidden while the sharing has ended, and cannot be written then")
    func hidden() async throws {
        let setting = try await Setting(), bob = setting.bob.account
        for object in [setting.snapshot, setting.image] { try await setting.bobs.tags.set(["a": "1"], on: [object]) }
        try await setting.unshare(with: bob)
        for object in [setting.snapshot, setting.image] {
            #expect(await refusal { try await setting.bobs.tags.set(["b": "2"], on: [object]) } == .missing)
            #expect(await refusal { try await setting.bobs.tags.remove(nil, from: [object]) } == .missing)
        }
        #expect(try await setting.bobs.snapshots.sharedWithCaller().isEmpty)
        #expect(try await setting.bobs.images.list().isEmpty)
        try await setting.share(with: bob)
        #expect(try await setting.tags(setting.bobs) == [["a": "1"]])
        // Public is shared, too, until the owner's account hides it.
        let carl = Caller(
            account: try await setting.fixture.house.accounts.create(named: "carl").id, principal: "carl",
            role: .administrator)
        let carls = setting.fixture.house.verbs(for: carl)
        #expect(await refusal { try await carls.tags.set(["c": "3"], on: [setting.snapshot]) } == .missing)
        _ = try await setting.owner.snapshots.share(setting.snapshot, SharingChange(isPublic: true))
        try await carls.tags.set(["c": "3"], on: [setting.snapshot])
        #expect(try await carls.snapshots.show(setting.snapshot).tags == ["c": "3"])
        try await setting.owner.snapshots.set(publicAccess: .blockAllSharing)
        #expect(await refusal { try await carls.tags.set(["d": "4"], on: [setting.snapshot]) } == .missing)
        await setting.fixture.house.close()
    }

    @Test("a copy of an image has the tags that whoever copies it sees, in another region too")
    func copies() async throws {
        let setting = try await Setting()
        try await setting.bobs.tags.set(["a": "1", "b": "2"], on: [setting.image])
        func tags(_ caller: Caller, _ name: String, copied: Bool) async throws -> [String: String]? {
            let west = try RegionTests.verbs(setting.fixture, for: caller)
            var request = CopyImage(ImageNames(name), of: setting.image, in: "us-east-1")
            request.copiesTags = copied
            request.names.tags = ["b": "own"]
            let copy = try await west.images.copy(request).id
            return try await west.images.show(copy).tags
        }
        #expect(try await tags(setting.bob, "bob", copied: true) == ["a": "1", "b": "own"])
        #expect(try await tags(setting.bob, "without", copied: false) == ["b": "own"])
        #expect(try await tags(setting.eve, "eve", copied: true) == ["b": "own"])
        #expect(try await tags(.root, "root", copied: true) == ["owner": "secret", "b": "own"])
        await setting.fixture.house.close()
    }

    @Test("whose tags are written is asked in the transaction that writes, and what is missing then undoes the request")
    func withdrawn() async throws {
        let setting = try await Setting(), bob = setting.bob
        let volume = try await setting.bobs.volumes.create(CreateVolume(size: .mebibytes(1))).id
        let household = setting.fixture.house.household
        let objects: [(String, TagRules.Kind)] = [(setting.snapshot, .snapshot), (setting.image, .image)]
        try await setting.unshare(with: bob.account)
        for (object, kind) in objects {
            #expect(try TagRules.Kind(of: object) == kind)
            let missing = await refusal {
                try await household.catalog.change { session in
                    try session.setTag("a", to: "1", on: volume)
                    _ = try TagHolder(of: bob, on: object, kind, in: household, session)
                }
            }
            #expect(missing == .missing)
            #expect(
                await refusal { try await setting.bobs.tags.set(["b": "2"], on: [volume, object]) } == .missing)
        }
        #expect(try await setting.bobs.volumes.show(volume).tags == nil)
        #expect(await refusal { try await setting.eves.tags.set(["a": "1"], on: [volume]) } == .missing)
        #expect(await refusal { try await setting.eves.tags.remove(nil, from: [volume]) } == .missing)
        await setting.fixture.house.close()
    }

    @Test("they go with the object, and with the account that wrote them")
    func gone() async throws {
        let setting = try await Setting(), both = [setting.snapshot, setting.image]
        try await setting.bobs.tags.set(["a": "1"], on: both)
        try await setting.eves.tags.set(["a": "2", "b": "3"], on: both)
        #expect(try await setting.rows() == 6)
        try await setting.fixture.house.accounts.delete(setting.bob.account)
        #expect(try await setting.rows() == 4)
        _ = try await setting.owner.images.deregister(setting.image)
        #expect(try await setting.rows() == 2)
        try await setting.owner.snapshots.delete(setting.snapshot)
        var left = -1
        for await _ in setting.fixture.house.household.bulletin.changes(of: setting.snapshot) {
            left = try await setting.rows()
            if left == 0 { break }
        }
        #expect(left == 0)
        await setting.fixture.house.close()
    }
}

extension Array where Element == String {
    fileprivate func asyncMap<R>(_ body: (String) async throws -> R) async rethrows -> [R] {
        var results: [R] = []
        for element in self { results.append(try await body(element)) }
        return results
    }
}
