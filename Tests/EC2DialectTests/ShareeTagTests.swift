import Blocks
import ControlPlane
import TestSupport
import Testing

@testable import EC2Dialect

/// An account's own tags on a snapshot and an image that another shares with it, in Amazon's words.
@Suite struct ShareeTagTests {
    @Test("more ids than one request may have are refused before any is looked for, or for anything else about them")
    func tooMany() async throws {
        let scratch = try ScratchDirectory("varve-many-tags")
        let house = try await House.open(HousePlan(data: scratch.path + "/data"), exports: Board())
        let dialect = EC2Dialect(house) { "id" }
        func ask(_ action: String, _ count: Int) async -> String {
            let ids = (1...count).map { "&ResourceId.\($0)=snap-0123456789abcdef0" }.joined()
            let query = "Version=2016-11-15&Action=\(action)&Tag.1.Key=a\(ids)"
            return await dialect.answer(EC2Request(sources: [query]), for: .root).body
        }
        for action in ["CreateTags", "DeleteTags"] {
            #expect(await ask(action, 1001).contains("<Code>InvalidParameterValue</Code><Message>1001 objects at once"))
            #expect(await ask(action, 1000).contains("<Code>InvalidSnapshot.NotFound</Code>"))
        }
        await house.close()
    }

    @Test("created, described, filtered by and deleted by the account that wrote them, for it alone")
    func life() async throws {
        let scratch = try ScratchDirectory("varve-sharee-tags")
        let house = try await House.open(HousePlan(data: scratch.path + "/data"), exports: Board())
        let bob = Caller(
            account: try await house.accounts.create(named: "builders").id, principal: "bob", role: .administrator)
        let volume = try await house.volumes.create(CreateVolume(size: .gibibytes(1))).id
        let snapshot = try await house.snapshots.create(CreateSnapshot(volume: volume, tags: ["who": "owner"])).id
        _ = try await house.snapshots.wait(for: snapshot)
        let disk = NewImage.Disk("/dev/sda1", snapshot: snapshot)
        let image = try await house.images.register(
            NewImage(ImageNames("image"), rootDevice: disk.device, disks: [disk])
        ).id
        let dialect = EC2Dialect(house) { "id" }
        func ask(_ query: String, as caller: Caller = bob) async -> String {
            await dialect.answer(EC2Request(sources: ["Version=2016-11-15&Action=" + query]), for: caller).body
        }
        let create = "CreateTags&ResourceId.1=\(snapshot)&ResourceId.2=\(image)&Tag.1.Key=who&Tag.1.Value=bob"
        #expect(await ask(create).contains("<Code>InvalidSnapshot.NotFound</Code>"))
        _ = try await house.snapshots.share(snapshot, SharingChange(adding: [bob.account]))
        #expect(await ask(create).contains("<Code>InvalidAMIID.NotFound</Code>"))
        _ = try await house.images.share(image, SharingChange(adding: [bob.account]))
        #expect(await ask(create).contains("<return>true</return>"))

        let tag = "<key>who</key><value>bob</value>"
        for (action, id) in [("DescribeSnapshots", snapshot), ("DescribeImages", image)] {
            let found = await ask("\(action)&Filter.1.Name=tag:who&Filter.1.Value.1=bob")
            #expect(found.contains(id) && found.contains(tag), "\(found)")
            #expect(await !ask("\(action)&Filter.1.Name=tag:who&Filter.1.Value.1=owner").contains(id))
            #expect(await !ask("\(action)&Filter.1.Name=tag:who&Filter.1.Value.1=bob", as: .root).contains(id))
        }
        let described = await ask("DescribeTags")
        for (id, type) in [(snapshot, "snapshot"), (image, "image")] {
            #expect(
                described.contains("<resourceId>\(id)</resourceId><resourceType>\(type)</resourceType>" + tag),
                "\(described)")
        }
        #expect(await !ask("DescribeTags", as: .root).contains("bob"))
        #expect(!described.contains("owner"))

        #expect(await ask("DeleteTags&ResourceId.1=\(snapshot)&Tag.1.Key=who").contains("<return>true</return>"))
        #expect(await !ask("DescribeTags").contains(snapshot))
        #expect(try await house.snapshots.show(snapshot).tags == ["who": "owner"])
        _ = try await house.images.share(image, SharingChange(removing: [bob.account]))
        #expect(await !ask("DescribeTags").contains(image))
        await house.close()
    }
}
