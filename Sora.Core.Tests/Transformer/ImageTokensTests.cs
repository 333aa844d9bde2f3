using Sora.Layers;
using Sora.Patches;
using Sora.Tests.Engine;
using Sora.Transformer;
using Sora.Weights;
using Xunit;

namespace Sora.Tests.Transformer;

public class ImageTokensTests
{
    private const float Rounding = 2e-5f;

    private static readonly WanTransformerConfig Config =
        TestTransformer.Config with { ImageDim = 12, AddedKvProjDim = TestTransformer.Config.InnerDim };

    [Fact]
    public void EachClipReadsItsOwnImageOrTheSharedOne()
    {
        using IDisposable noGradients = no_grad();
        using DisposeScope scope = NewDisposeScope();
        using DiffusionTransformer network = Random(Config);
        Tensor text = RandomTensor.Create(1, 2, 6, Config.TextDim), images = RandomTensor.Create(2, 2, 7, 12);
        Tensor one = images.narrow(0, 0, 1), two = images.narrow(0, 1, 1);
        Tensor latents = RandomTensor.Create(3, 2, Config.InChannels, 2, 4, 6);
        Tensor own = network.Forward(latents, [900, 400], network.Prepare(text, images));
        Tensor shared = network.Forward(latents, [900, 400], network.Prepare(text, one));

        Assert.InRange(RandomTensor.Distance(own.narrow(0, 0, 1), shared.narrow(0, 0, 1)), 0, Rounding);
        Assert.True(RandomTensor.Distance(own.narrow(0, 1, 1), shared.narrow(0, 1, 1)) > 1e-3);
        Tensor alone = network.Forward(latents.narrow(0, 1, 1), [400], network.Prepare(text.narrow(0, 1, 1), two));
        Assert.InRange(RandomTensor.Distance(own.narrow(0, 1, 1), alone), 0, Rounding);
        Assert.Equal(1, network.Prepare(text, one).Blocks[0].Image!.Keys.size(0));

        // Joined contexts: a shared image becomes one for each of its texts.
        var joined = TextContext.Join([network.Prepare(text, one), network.Prepare(text.narrow(0, 1, 1), two)]);
        Tensor three = network.Forward(cat([latents, latents.narrow(0, 1, 1)], 0), [900, 400, 400], joined);
        Assert.InRange(RandomTensor.Distance(three, cat([shared, own.narrow(0, 1, 1)], 0)), 0, Rounding);
    }

    [Fact]
    public void PackedClipsOfDifferentSizesReadTheirImages()
    {
        using IDisposable noGradients = no_grad();
        using DisposeScope scope = NewDisposeScope();
        using DiffusionTransformer network = Random(Config);
        Tensor text = RandomTensor.Create(1, 2, 6, Config.TextDim), images = RandomTensor.Create(2, 2, 7, 12);
        Tensor[] clips = [RandomTensor.Create(3, 1, Config.InChannels, 1, 4, 6), RandomTensor.Create(4, 1, Config.InChannels, 2, 2, 4)];
        PatchGrid[] grids = [.. clips.Select(c => Patchify.GridOf(c, Config.PatchSize))];
        using var sequence = new PackedSequence(grids, Config.AttentionHeadDim, CPU);
        Tensor patches = cat([.. clips.Select(c => Patchify.Cut(c, Config.PatchSize))], 0);
        foreach (Tensor given in (Tensor[])[images, images.narrow(0, 1, 1)])
        {
            Tensor packed = network.Forward(patches, TokenTimes.PerClip(sequence.Layout, [900, 400]), network.Prepare(text, given), sequence);
            for (int i = 0; i < 2; i++)
            {
                TextContext own = network.Prepare(text.narrow(0, i, 1), given.narrow(0, given.size(0) == 1 ? 0 : i, 1));
                Tensor alone = network.Forward(clips[i], [i == 0 ? 900 : 400], own);
                Tensor part = Patchify.Join(packed.narrow(0, sequence.Layout.Offset(i), grids[i].Count), 1, grids[i], Config.PatchSize, Config.OutChannels);
                Assert.InRange(RandomTensor.Distance(alone, part), 0, Rounding);
            }
        }
    }

    [Fact]
    public void FirstAndLastImagesAreOneSequence()
    {
        using IDisposable noGradients = no_grad();
        using DisposeScope scope = NewDisposeScope();
        using DiffusionTransformer network = Random(Config with { PosEmbedSeqLen = 14 });
        Tensor text = RandomTensor.Create(1, 2, 6, Config.TextDim), pair = RandomTensor.Create(2, 2, 7, 12);
        ImageKeys keys = network.Prepare(text, pair).Blocks[0].Image!;
        Assert.Equal([1, 14, Config.InnerDim], keys.Keys.shape);
        ImageKeys swapped = network.Prepare(text, pair.index_select(0, tensor((long[])[1, 0]))).Blocks[0].Image!;
        Assert.True(RandomTensor.Distance(keys.Values.narrow(1, 0, 7), swapped.Values.narrow(1, 7, 7)) > 1e-3, "positions make the order matter");
        Assert.Equal([2, 14, Config.InnerDim], network.Prepare(text, cat([pair, pair], 0)).Blocks[1].Image!.Keys.shape);

        AssertRefused(network, text, pair.narrow(0, 0, 1), "images has shape [1, 7, 12]; this network takes pairs, a first and a last image of 7 tokens each (pos_embed_seq_len 14)");
        AssertRefused(network, text, pair.narrow(1, 0, 5), "images has shape [2, 5, 12]");
    }

    [Fact]
    public void ImagesThatAreMissingOrDoNotFitAreNamed()
    {
        using IDisposable noGradients = no_grad();
        using DisposeScope scope = NewDisposeScope();
        using DiffusionTransformer withImages = Random(Config), without = TestTransformer.Load();
        Tensor text = RandomTensor.Create(1, 2, 6, Config.TextDim);
        AssertRefused(withImages, text, null, "image_dim 12); imageEmbeds is null");
        AssertRefused(without, text, zeros([1, 7, 12]), "image_dim is null); imageEmbeds must be null");
        AssertRefused(withImages, text, zeros([3, 7, 12]), "imageEmbeds has shape [3, 7, 12], the images of 3 videos; allowed: of 2, one for each text, or of 1");
        AssertRefused(withImages, text, zeros([1, 7, 13]), "[1, 7, 13]; expected [B, M, 12]");
    }

    [Fact]
    public void AFreshBlockWithImageTokensIsTheIdentity()
    {
        using DisposeScope scope = NewDisposeScope();
        using var network = new DiffusionTransformer(Config, new FreshParameters(7, float32));
        TextContext context = network.Prepare(RandomTensor.Create(1, 1, 4, Config.TextDim), RandomTensor.Create(2, 1, 7, 12));
        Tensor velocity = network.Forward(RandomTensor.Create(2, 1, Config.InChannels, 2, 4, 6), [500], context);
        Assert.Equal(0, velocity.abs().max().item<float>());
    }

    // Random where a fresh network starts at zero too.
    private static DiffusionTransformer Random(WanTransformerConfig config)
    {
        var network = new DiffusionTransformer(config, new FreshParameters(7, float32));
        ulong seed = 100;
        foreach (Parameter parameter in network.Parameters.Values)
        {
            using Tensor values = RandomTensor.Create(seed++, parameter.shape) * 0.3;
            values.bytes.CopyTo(parameter.bytes);
        }
        return network;
    }

    private static void AssertRefused(DiffusionTransformer network, Tensor text, Tensor? images, string message) =>
        Assert.Contains(message, Assert.Throws<ArgumentException>(() => network.Prepare(text, images)).Message, StringComparison.Ordinal);
}
