import Blocks
import TestSupport
import Testing

@testable import ControlPlane

/// Ends the process at every step of an image's making and of its end.
@Suite(.serialized) struct ImageCrashSerialTests {
    @Test(
        "after a kill at any step an image is whole, or was never there, and no snapshot of it is lost",
        arguments: [
            "snapshot.recorded", "snapshot.cut", "snapshot.pending", "image.cut", "image.recorded", "image.copied",
            "image.available", "image.deregistered",
        ])
    func kill(at point: String) async throws {
        let scratch = try ScratchDirectory("varve-image-crash")
        let path = scratch.path
        await #expect(processExitsWith: .signal(9), "\(point) is never reached") {
            [path = path as String, point = point as String] in
            try await ImageCrashScript(path: path).run(dyingAt: point)
        }
        let fixture = try await ImageCrashScript.open(path)
        let images = fixture.house.images
        try await fixture.eventually("every image ends") {
            try await images.list().allSatisfy { $0.state != .pending }
        }
        try await fixture.eventually("every task ends") {
            try await fixture.house.tasks.list().allSatisfy { $0.state != .running && $0.state != .waiting }
        }
        let list = try await images.list(), snapshots = Set(try await fixture.snapshots.list().map(\.id))
        switch point {
        case "snapshot.recorded", "snapshot.cut":
            #expect(list.isEmpty && snapshots.isEmpty, "nobody was told of it")
        case "image.deregistered":
            #expect(list.isEmpty && snapshots.count == 2, "its snapshots are there to be deleted")
        case "image.recorded", "image.copied":
            #expect(list.map(\.name).sorted() == ["base", "copy"] && snapshots.count == 4)
        default: #expect(list.map(\.name) == ["base"] && snapshots.count == 2)
        }
        for image in list {
            #expect(image.state == .available, "\(image.reason ?? "")")
            #expect(image.disks.compactMap(\.snapshotId).allSatisfy(snapshots.contains) && image.disks.count == 2)
            let made = try await fixture.house.instances.launch(NewInstances(imageID: image.id))[0]
            for (index, disk) in made.disks.enumerated() {
                #expect(try await fixture.look(disk.volumeId).prefix(8).allSatisfy { $0 == UInt8(index + 1) })
            }
        }
        // The name is free exactly if the image is not there.
        let host = try #require(
            try await fixture.house.instances.list().first { $0.imageId == nil && $0.state == .running })
        let again = await refusal { try await images.create(NewImageOfInstance(ImageNames("base"), of: host.id)) }
        #expect(again == (list.contains { $0.name == "base" } ? .inUse : nil))
        await fixture.house.close()
    }
}

/// What the child does.
struct ImageCrashScript: Sendable {
    let path: String

    static func open(_ path: String) async throws -> HouseFixture {
        try await HouseFixture(at: path + "/data") { $0.scrubEvery = nil }
    }

    func run(dyingAt point: String) async throws {
        let fixture = try await Self.open(path)
        let images = fixture.house.images
        let host = try await ImageTests.instance(fixture)
        func arm() { Failpoint.observe { if $0 == point { Machine.killSelf() } } }
        let isLater = ["image.recorded", "image.copied", "image.deregistered"].contains(point)
        if !isLater { arm() }
        let made = try await images.create(NewImageOfInstance(ImageNames("base"), of: host.id))
        try await fixture.eventually("it is available") { try await images.show(made.id).state == .available }
        // The step after it is recorded.
        try await fixture.eventually("its task ends") {
            try await fixture.house.tasks.list().allSatisfy { $0.subjectId != made.id || $0.state == .succeeded }
        }
        arm()
        if point != "image.deregistered" { _ = try await images.copy(CopyImage(ImageNames("copy"), of: made.id)) }
        _ = try await images.deregister(made.id, deletingSnapshots: true)
    }
}
