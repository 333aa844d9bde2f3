using Xunit;

namespace Sora.Tests;

public class VideoGeneratorOptionsTests
{
    [Theory]
    [InlineData("cpu", "cpu")]
    [InlineData("CUDA", "cuda")]
    [InlineData("cuda:1", "cuda:1")]
    public void KnownDevicesAreAccepted(string device, string expected) =>
        Assert.Equal(expected, new VideoGeneratorOptions { Device = device }.Device);

    [Theory]
    [InlineData("cdua", "nearest: cuda.")]
    [InlineData("gpu", "nearest: cpu.")]
    [InlineData("cuda:", "known: cpu, cuda, cuda:0")]
    [InlineData("cuda:-1", "known: cpu, cuda, cuda:0")]
    [InlineData("cpu\n", "known: cpu, cuda, cuda:0")]
    [InlineData("", "known: cpu, cuda, cuda:0")]
    public void AnUnknownDeviceIsNamedWithTheKnownOnes(string device, string part)
    {
        string message = Assert.Throws<SoraException>(() => new VideoGeneratorOptions { Device = device }).Message;
        Assert.StartsWith($"Device '{device}' is unknown", message, StringComparison.Ordinal);
        Assert.Contains(part, message, StringComparison.Ordinal);
    }

    [Fact]
    public void ThreadsAreAtLeastOne() =>
        Assert.Equal("Threads 0 is out of range; allowed: 1 to 1024, nearest: 1.",
            Assert.Throws<SoraException>(() => new VideoGeneratorOptions { Threads = 0 }).Message);
}
