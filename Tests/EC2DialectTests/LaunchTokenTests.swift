import Blocks
import ControlPlane
import Foundation
import TestSupport
import Testing

@testable import EC2Dialect

/// RunInstances with a client token: made once, however often it is asked for.
@Suite struct LaunchTokenTests {
    private static let run =
        "Action=RunInstances&ImageId=ami-0123456789abcdef0&MinCount=2&MaxCount=2"
        + "&BlockDeviceMapping.1.DeviceName=/dev/sdf&BlockDeviceMapping.1.Ebs.VolumeSize=1"

    private static func reservation(_ answer: EC2Answer) throws -> String {
        let start = try #require(answer.body.range(of: "<reservationId>"), "\(answer.body)").upperBound
        return String(answer.body[start...].prefix { $0 != "<" })
    }

    @Test("the same request once more answers the same instances, over a restart too; another is refused")
    func once() async throws {
        let scratch = try ScratchDirectory("varve-launch")
        let plan = HousePlan(data: scratch.path + "/data")
        var house = try await House.open(plan, exports: Board())
        let other = try await house.accounts.create(named: "others").id
        let stranger = Caller(account: other, principal: "eve", role: .administrator)
        func ask(_ query: String, _ caller: Caller = .root, _ version: String = "2016-11-15") async -> EC2Answer {
            await EC2Dialect(house) { "id" }.answer(
                EC2Request(sources: ["Version=\(version)&" + query]), for: caller)
        }
        let token = "&ClientToken=one"
        let first = try Self.reservation(await ask(Self.run + token))
        #expect(try await Self.reservation(ask(Self.run + token)) == first)
        // In another order, and of another client's age.
        let turned = Self.run.split(separator: "&").reversed().joined(separator: "&")
        #expect(try await Self.reservation(ask("ClientToken=one&" + turned, .root, "2014-02-01")) == first)
        // What signs it differs each time: by Version 2 at two times, by Version 4 in a query, and not.
        for signature in [
            "&AWSAccessKeyId=A&SignatureVersion=2&SignatureMethod=HmacSHA256&Timestamp=2026-11-27T00%3A00%3A00Z&Signature=a",
            "&AWSAccessKeyId=A&SignatureVersion=2&SignatureMethod=HmacSHA1&Timestamp=2026-11-27T00%3A01%3A00Z&Signature=b",
            "&AWSAccessKeyId=B&SignatureVersion=2&SignatureMethod=HmacSHA256&Expires=2026-11-27T01%3A00%3A00Z&Signature=c",
            "&X-Amz-Signature=d&X-Amz-Date=20261127T000000Z",
        ] {
            #expect(try await Self.reservation(ask(Self.run + token + signature)) == first)
        }
        let counts = (try await house.instances.list().count, try await house.volumes.list().count)
        #expect(counts == (2, 2))
        let changed = await ask(Self.run.replacingOccurrences(of: "VolumeSize=1", with: "VolumeSize=2") + token)
        #expect(changed.status == 400 && changed.body.contains("<Code>IdempotentParameterMismatch</Code>"))
        // Another account's token is another one.
        #expect(try await Self.reservation(ask(Self.run + token, stranger)) != first)
        #expect(try await Self.reservation(ask(Self.run + "&ClientToken=two")) != first)
        await house.close()
        house = try await House.open(plan, exports: Board())
        #expect(try await Self.reservation(ask(Self.run + token)) == first)
        let long = await ask(Self.run + "&ClientToken=" + String(repeating: "x", count: 65))
        #expect(long.status == 400 && long.body.contains("less than or equal to 64 characters"))
        #expect(try await house.instances.list().count == 4)
        await house.close()
    }

    @Test("what came to nothing may be asked for again by the same token")
    func again() async throws {
        let scratch = try ScratchDirectory("varve-launch")
        let house = try await House.open(HousePlan(data: scratch.path + "/data"), exports: Board())
        let missing = CreateVolume(size: nil, origin: .snapshot("snap-0123456789abcdef0"))
        var request = NewInstances()
        request.token = RequestToken("one", fingerprint: "a")
        request.disks = [.init(device: "/dev/sdf", volume: missing, goesWithInstance: true)]
        let wrong = request
        await #expect(throws: ServiceError.self) { try await house.instances.launch(wrong) }
        request.disks = []
        let made = try await house.instances.launch(request)
        #expect(made.count == 1)
        let again = try await house.instances.launch(request)
        #expect(again.map(\.id) == made.map(\.id))
        await house.close()
    }
}
