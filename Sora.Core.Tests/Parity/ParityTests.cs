using Xunit;

namespace Sora.Tests.Parity;

/// <summary>
/// Sora against numbers that the published reference code gave: every folder of the fixtures is a case, recognised by the
/// letter that its name begins with.
/// </summary>
[Trait("Category", "Parity")]
public class ParityTests
{
    public static TheoryData<string> Cases => [.. FixtureFolder.Cases()];

    [Theory]
    [MemberData(nameof(Cases))]
    public void EqualsTheReference(string name) => ParityKind.Of(name).Check(FixtureFolder.PathOf(name));

    [Fact]
    public void AFolderOfAnUnknownKindFails() =>
        Assert.ThrowsAny<Xunit.Sdk.XunitException>(() => ParityKind.Of("Z_something_new").Check("."));
}
