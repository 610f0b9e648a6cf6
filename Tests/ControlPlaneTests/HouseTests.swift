import Blocks
import Catalog
import ControlPlane
import TestSupport
import Testing

@Suite struct HouseTests {
    @Test("the first start makes the directory and a key, which the next start finds")
    func firstStart() async throws {
        let fixture = try await HouseFixture()
        let key = fixture.house.rootCredentials
        let disk = LocalDisk()
        for name in ["lock", "catalog.sqlite", "volumes", "sockets", "store", "root-credentials"] {
            #expect(try disk.facts(fixture.data + "/" + name) != nil, "\(name) is missing")
        }
        let text = try readText(fixture.data + "/root-credentials")
        #expect(
            text
                == "[default]\naws_access_key_id = \(key.accessKeyID)\naws_secret_access_key = \(key.secretAccessKey)\n"
        )
        try await fixture.reopen()
        #expect(fixture.house.rootCredentials == key)
        await fixture.house.close()
    }

    @Test("a second server on one data directory is refused; after the first closed it is not")
    func secondServer() async throws {
        let fixture = try await HouseFixture()
        #expect(await refusal { try await House.open(HousePlan(data: fixture.data), exports: MemoryBoard()) } == .inUse)
        await fixture.house.close()
        await fixture.house.close()
        let second = try await House.open(HousePlan(data: fixture.data), exports: MemoryBoard())
        await second.close()
    }

    @Test("a catalog from a newer version is refused and left alone")
    func newerCatalog() async throws {
        let fixture = try await HouseFixture()
        await fixture.house.close()
        let connection = try SQLiteConnection(path: fixture.data + "/catalog.sqlite")
        try connection.execute("INSERT INTO migrations (number, name, applied_at) VALUES (\(1000), \("later"), \(0))")
        connection.close()
        #expect(
            await refusal { try await House.open(HousePlan(data: fixture.data), exports: MemoryBoard()) }
                == .unsupported)
    }

    @Test("a catalog that is no database is called damaged")
    func damagedCatalog() async throws {
        let fixture = try await HouseFixture()
        await fixture.house.close()
        let path = fixture.data + "/catalog.sqlite"
        for suffix in ["", "-wal", "-shm"] { try LocalDisk().remove(path + suffix) }
        try writeText("this is no database, whatever its name says", to: path)
        #expect(
            await refusal { try await House.open(HousePlan(data: fixture.data), exports: MemoryBoard()) } == .corrupt)
    }

    @Test("credentials without a key are refused with a word on what to do")
    func brokenCredentials() async throws {
        let fixture = try await HouseFixture()
        await fixture.house.close()
        try LocalDisk().remove(fixture.data + "/root-credentials")
        try writeText("[other]\naws_access_key_id = x\n", to: fixture.data + "/root-credentials")
        #expect(
            await refusal { try await House.open(HousePlan(data: fixture.data), exports: MemoryBoard()) } == .invalid)
    }

    @Test("a store directory that is a file is refused at first start")
    func storeIsAFile() async throws {
        let scratch = try ScratchDirectory("varve-house")
        try writeText("x", to: scratch.path + "/store")
        let plan = HousePlan(data: scratch.path + "/data", store: scratch.path + "/store")
        #expect(await refusal { try await House.open(plan, exports: MemoryBoard()) } != nil)
        // The refused place is not remembered.
        let house = try await House.open(HousePlan(data: scratch.path + "/data"), exports: MemoryBoard())
        #expect(try await house.store.status().location == scratch.path + "/data/store")
        await house.close()
    }

    @Test("another house's store is refused")
    func foreignStore() async throws {
        let first = try await HouseFixture(), second = try await HouseFixture()
        await first.house.close()
        await second.house.close()
        let plan = HousePlan(data: first.data, store: second.data + "/store")
        #expect(await refusal { try await House.open(plan, exports: MemoryBoard()) } == .invalid)
        let again = try await House.open(HousePlan(data: first.data), exports: MemoryBoard())
        #expect(try await again.store.status().location == first.data + "/store")
        await again.close()
    }

    @Test("a new place that holds no repository, or is not there, is refused and not remembered")
    func emptyStore() async throws {
        let fixture = try await HouseFixture()
        await fixture.house.close()
        let empty = try ScratchDirectory("varve-house")
        for place in [empty.path, empty.path + "/missing"] {
            let failure = await #expect(throws: ServiceError.self) {
                _ = try await House.open(HousePlan(data: fixture.data, store: place), exports: MemoryBoard())
            }
            #expect(failure?.message.contains("snapshots are in \(fixture.data)/store") == true)
        }
        let again = try await House.open(HousePlan(data: fixture.data), exports: MemoryBoard())
        #expect(try await again.store.status().location == fixture.data + "/store")
        #expect(try await again.store.status().isReachable)
        await again.close()
    }

    @Test("while the store is away volumes serve and snapshots wait; when it is back they finish")
    func storeAway() async throws {
        let fixture = try await HouseFixture()
        let volume = try await fixture.volume()
        try await fixture.write(volume, 0..<10, 1)
        try fixture.hideStore()
        try await fixture.reopen()
        #expect(try await fixture.house.store.status().isReachable == false)
        #expect(try await fixture.look(volume)[0..<10] == ArraySlice(repeating: 1, count: 10))
        let snapshot = try await fixture.snapshot(volume, wait: false)
        try await fixture.write(volume, 0..<10, 2)
        try await fixture.eventually("the snapshot says why it waits") {
            try await fixture.snapshots.show(snapshot).reason?.contains("store") == true
        }
        #expect(try await fixture.snapshots.show(snapshot).state == .pending)
        try fixture.showStore()
        fixture.house.store.retryUploads()
        #expect(try await fixture.snapshots.wait(for: snapshot).state == .completed)
        #expect(try await fixture.look(snapshot: snapshot)[0..<11] == [1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0])
        await fixture.house.close()
    }

    @Test("an empty mount point is not taken for the store")
    func emptyMountPoint() async throws {
        let fixture = try await HouseFixture()
        await fixture.house.close()
        try fixture.hideStore()
        try LocalDisk().makeDirectory(fixture.data + "/store")
        let house = try await House.open(HousePlan(data: fixture.data), exports: MemoryBoard())
        #expect(try await house.store.status().isReachable == false)
        await house.close()
        #expect(try LocalDisk().list(fixture.data + "/store").isEmpty)
    }

    @Test("attached volumes and exported snapshots are published again after a restart")
    func publishedAgain() async throws {
        let fixture = try await HouseFixture()
        let volume = try await fixture.volume()
        let snapshot = try await fixture.snapshot(volume)
        _ = try await fixture.snapshots.attach(snapshot)
        let uri = try await fixture.volumes.show(volume).uri
        try await fixture.reopen()
        #expect(fixture.board.names == [snapshot, volume])
        let view = try await fixture.volumes.show(volume)
        #expect(view.state == .inUse && view.uri == uri)
        await fixture.house.close()
        #expect(fixture.board.names.isEmpty)
    }

    @Test("a volume that cannot be opened is quarantined; the others serve")
    func quarantine() async throws {
        let fixture = try await HouseFixture()
        let good = try await fixture.volume(), bad = try await fixture.volume()
        try await fixture.write(good, 3..<4, 7)
        await fixture.house.close()
        let record = fixture.data + "/volumes/\(bad)/volume.json"
        try LocalDisk().remove(record)
        try writeText("{}", to: record)
        let house = try await House.open(HousePlan(data: fixture.data), exports: fixture.board)
        #expect(try await house.volumes.show(good).state == .inUse)
        #expect(try await fixture.look(good)[3] == 7)
        let view = try await house.volumes.show(bad)
        #expect(view.state == .quarantined)
        #expect(view.reason?.contains("volume.json") == true)
        #expect(await refusal { try await house.snapshots.create(CreateSnapshot(volume: bad)) } == .wrongState)
        _ = try await house.volumes.detach(bad)
        try await house.volumes.delete(bad)
        #expect(try await house.volumes.list().map(\.id) == [good])
        await house.close()
    }
}

func readText(_ path: String) throws -> String {
    let file = try LocalDisk().open(path, .readOnly)
    var bytes = [UInt8](repeating: 0, count: try file.size().bytes)
    try bytes.writeBytes { (all) throws(BlockFailure) in try file.read(at: 0, into: &all) }
    return String(decoding: bytes, as: UTF8.self)
}

func writeText(_ text: String, to path: String) throws {
    let file = try LocalDisk().open(path, .createNew)
    try Array(text.utf8).readBytes { (bytes) throws(BlockFailure) in try file.write(bytes, at: 0, durably: true) }
}
