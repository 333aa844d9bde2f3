using Sora.Tests.Engine;
using Sora.Tests.Weights;
using Sora.Training;
using Sora.Training.Data;
using Sora.VideoVae;
using Sora.Weights;
using Xunit;

namespace Sora.Tests.Training.Data;

[Collection(LiveTensors.Name)]
public sealed class LatentCacheTests : IDisposable
{
    private static readonly ClipShape s_wide = new(48, 16, 5), s_picture = new(16, 32, 1);

    private readonly TemporaryFolder _temporary = new();
    private readonly List<string> _log = [];

    [Fact]
    public void TheAutoencoderRunsOnceAClip()
    {
        string vae = TinyVae.Write(_temporary.File("vae"));
        long before = LiveTensors.Count();
        var first = new FakeClips(("a", s_wide), ("b", s_picture), ("c", s_wide), ("a", s_wide));
        using (EncodedClips clips = Encode(first, vae))
        {
            Assert.Equal([0, 1, 2], first.Drawn.Order()); // The fourth is the first once more.
            Assert.Equal(4, clips.Count);
            Assert.Equal(new(2, 1, 3), clips.GridOf(0, [1, 2, 2]));
            Assert.Equal(new(1, 2, 1), clips.GridOf(1, [1, 2, 2]));
        }

        var second = new FakeClips(("c", s_wide), ("b", s_picture), ("d", s_picture));
        using (EncodedClips clips = Encode(second, vae))
        {
            Assert.Equal([2], second.Drawn);
            using VideoAutoencoder network = TinyVae.Load(vae);
            using IDisposable noGradients = no_grad();
            using DisposeScope scope = NewDisposeScope();
            Tensor x = new ClipBatch(second.Draw(0, default), [""], s_wide).ToTensor(CPU);
            // The tiny autoencoder's statistics are 0 and 1.
            Assert.InRange(RandomTensor.Distance(network.Encode(x).Mean.squeeze(0), clips.Read(0)), 0, 1e-5f);
        }

        var third = new FakeClips(("a", s_wide), ("b", s_picture));
        Encode(third, vae, () => throw new InvalidOperationException("Nothing is to encode.")).Dispose();
        Assert.Empty(third.Drawn);
        Assert.Equal(before, LiveTensors.Count());
    }

    [Fact]
    public void AnotherAutoencoderOrContentIsEncodedAnew()
    {
        string vae = TinyVae.Write(_temporary.File("vae")), other = TinyVae.Write(_temporary.File("other"), seed: 2);
        Encode(new FakeClips(("a", s_wide)), vae).Dispose();
        var clips = new FakeClips(("a", s_wide));
        Encode(clips, other).Dispose();
        Assert.Equal([0], clips.Drawn);
        clips = new FakeClips(("a", s_wide with { Width = 32 }));
        Encode(clips, vae).Dispose();
        Assert.Equal([0], clips.Drawn);
        clips = new FakeClips(("a", s_wide));
        Encode(clips, vae).Dispose();
        Assert.Empty(clips.Drawn);
    }

    [Fact]
    public void ACutOffShardIsFoundAndDoneAgain()
    {
        string vae = TinyVae.Write(_temporary.File("vae"));
        var clips = new FakeClips(("a", s_wide), ("b", s_picture));
        Encode(clips, vae).Dispose();
        string shard = Assert.Single(Shards());
        byte[] bytes = File.ReadAllBytes(shard);
        File.WriteAllBytes(shard, bytes[..^100]);

        var again = new FakeClips(("a", s_wide), ("b", s_picture));
        Encode(again, vae).Dispose();
        Assert.Equal([0, 1], again.Drawn.Order());
        Assert.Contains(_log, line => line.Contains("damaged", StringComparison.Ordinal));
        Assert.Equal(bytes, File.ReadAllBytes(Assert.Single(Shards())));
    }

    [Fact]
    public void AShardThatCannotBeOpenedIsNotTakenForDamaged()
    {
        string vae = TinyVae.Write(_temporary.File("vae"));
        Encode(new FakeClips(("a", s_wide)), vae).Dispose();
        string shard = Assert.Single(Shards());
        using (new FileStream(shard, FileMode.Open, FileAccess.ReadWrite, FileShare.None))
            Assert.Contains(shard, Assert.Throws<SoraException>(() => Encode(new FakeClips(("a", s_wide)), vae)).Message, StringComparison.Ordinal);
        var again = new FakeClips(("a", s_wide));
        Encode(again, vae).Dispose();
        Assert.Empty(again.Drawn);
    }

    [Fact]
    public void AFullDiskIsNamedAndLeavesNothingPartial()
    {
        string vae = TinyVae.Write(_temporary.File("vae"));
        Encode(new FakeClips(("a", s_wide)), vae).Dispose();
        string[] before = Shards();
        // The disk takes the first tensor of the shard and nothing more.
        using (LatentCache cache = LatentCache.Open(_temporary.File("latents"), vae, _log.Add))
        {
            cache.WriteShard = (path, tensors) => SafetensorsWriter.Write(path, tensors.Append(
                new("zz", SafetensorsType.U8, [1], _ => throw new IOException("No space left on device"))));
            var exception = Assert.Throws<SoraException>(() => EncodedClips.Open(new FakeClips(("a", s_wide), ("b", s_picture)), cache, () => TinyVae.Load(vae), _log.Add, default));
            Assert.Contains("cannot be written: No space left on device", exception.Message, StringComparison.Ordinal);
        }
        Assert.Equal(before, Directory.EnumerateFiles(Path.GetDirectoryName(before[0])!));

        var clips = new FakeClips(("a", s_wide), ("b", s_picture));
        Encode(clips, vae).Dispose();
        Assert.Equal([1], clips.Drawn);
    }

    [Fact]
    public void AClipThatCannotBeReadIsPassedOver()
    {
        string vae = TinyVae.Write(_temporary.File("vae"));
        using (EncodedClips clips = Encode(new FakeClips(("a", s_wide), ("b", s_picture), ("c", s_wide)) { Broken = 0 }, vae))
        {
            Assert.Equal(2, clips.Count);
            Assert.Equal("clip 1", clips.Info(0).Name);
            Assert.Equal(["grey 1"], clips.Captions(0).Short);
        }
        Assert.Contains("passed over: clip 0 is damaged", _log);
        Assert.Throws<SoraException>(() => Encode(new FakeClips(("z", s_wide)) { Broken = 0 }, vae));
    }

    [Fact]
    public void AnInterruptionKeepsWhatIsEncoded()
    {
        string vae = TinyVae.Write(_temporary.File("vae"));
        using var stop = new CancellationTokenSource();
        stop.Cancel();
        using (LatentCache cache = LatentCache.Open(_temporary.File("latents"), vae, _log.Add))
        {
            cache.Add("a-kept", zeros([4, 1, 2, 2]));
            Assert.Throws<OperationCanceledException>(() => EncodedClips.Open(new FakeClips(("a", s_wide)), cache, () => TinyVae.Load(vae), _log.Add, stop.Token));
        }
        using LatentCache opened = LatentCache.Open(_temporary.File("latents"), vae, _log.Add);
        Assert.True(opened.Contains("a-kept"));
        Assert.Equal(1, opened.Count);
    }

    public void Dispose() => _temporary.Dispose();

    private string[] Shards() => Directory.GetFiles(_temporary.File("latents"), "*.safetensors", SearchOption.AllDirectories);

    private EncodedClips Encode(IClipSource clips, string vae, Func<VideoAutoencoder>? load = null) =>
        EncodedClips.Open(clips, LatentCache.Open(_temporary.File("latents"), vae, _log.Add), load ?? (() => TinyVae.Load(vae)), _log.Add, default);
}
