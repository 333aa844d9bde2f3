using Sora.Layers;
using Sora.Patches;
using Sora.Tests.Engine;
using Sora.Tests.Generation;
using Sora.Training;
using Sora.Transformer;
using Sora.Weights;
using Xunit;

namespace Sora.Tests.Training;

/// <summary>A training that begins with a finished transformer.</summary>
[Collection(LiveTensors.Name)]
public sealed class WarmStartTests
{
    private static string Finished => Path.Combine(TinyModel.Folder, "transformer");

    [Fact]
    public void TheSamePatchesBeginAsTheyEnded()
    {
        using DisposeScope scope = NewDisposeScope();
        using DiffusionTransformer network = Start(TinyModel.Transformer);
        using var finished = new DiffusionTransformer(TinyModel.Transformer, new CheckpointParameters(Finished, float32, CPU));
        foreach ((string name, Parameter values) in finished.Parameters)
            Assert.True(values.bytes.SequenceEqual(network.Parameters[name].bytes), name);
    }

    [Fact]
    public void ASmallerPatchBeginsAsIfItFilledTheLargerOne()
    {
        using DisposeScope scope = NewDisposeScope();
        WanTransformerConfig smaller = TinyModel.Transformer with { PatchSize = [1, 1, 2] };
        using DiffusionTransformer network = Start(smaller);
        using var finished = new DiffusionTransformer(TinyModel.Transformer, new CheckpointParameters(Finished, float32, CPU));

        // Of a picture whose rows are in pairs the same, every smaller patch is embedded as the larger one around it.
        Tensor latents = RandomTensor.Create(1, 1, smaller.InChannels, 2, 4, 8).repeat_interleave(2, 3);
        Tensor large = Embed(finished, latents, TinyModel.Transformer), small = Embed(network, latents, smaller); // N D each
        Tensor copies = large.reshape(2, 4, 4, -1).repeat_interleave(2, 1).flatten(0, 2);
        Assert.InRange((small - copies).abs().max().item<float>(), 0, 1e-5);

        // What the head gives is the mean over the copies: rows t h w C become t w C.
        Parameter before = finished.Parameters["proj_out.weight"], after = network.Parameters["proj_out.weight"];
        Tensor mean = before.reshape(1, 2, 2, smaller.OutChannels, -1).mean([1]).flatten(0, 2);
        Assert.InRange((after - mean).abs().max().item<float>(), 0, 1e-6);
        Assert.Equal([2 * smaller.OutChannels], network.Parameters["proj_out.bias"].shape);
        Assert.True(finished.Parameters["blocks.1.attn1.to_q.weight"].bytes.SequenceEqual(network.Parameters["blocks.1.attn1.to_q.weight"].bytes));
    }

    [Theory]
    [InlineData(3, new[] { 0, 2 })]
    [InlineData(4, new[] { 1, 3 })]
    public void ADeeperNetworkBeginsWithWhatTheFinishedOneComputes(int blocks, int[] places)
    {
        using DisposeScope scope = NewDisposeScope();
        using IDisposable noGradients = no_grad();
        WanTransformerConfig deeper = TinyModel.Transformer with { NumLayers = blocks };
        using DiffusionTransformer network = Start(deeper);
        using var finished = new DiffusionTransformer(TinyModel.Transformer, new CheckpointParameters(Finished, float32, CPU));
        for (int block = 0; block < places.Length; block++)
        {
            Assert.True(
                finished.Parameters[$"blocks.{block}.ffn.net.0.proj.weight"].bytes.SequenceEqual(network.Parameters[$"blocks.{places[block]}.ffn.net.0.proj.weight"].bytes),
                $"block {block}");
        }

        Tensor latents = RandomTensor.Create(1, 2, deeper.InChannels, 2, 4, 4), text = RandomTensor.Create(2, 2, 5, deeper.TextDim);
        float[] times = [300, 800];
        Tensor before = finished.Forward(latents, times, finished.Prepare(text)), after = network.Forward(latents, times, network.Prepare(text));
        Assert.InRange((after - before).abs().max().item<float>(), 0, 1e-6);
    }

    [Fact]
    public void MoreChannelsAreReadAtOnceAndWrittenLater()
    {
        using DisposeScope scope = NewDisposeScope();
        using IDisposable noGradients = no_grad();
        WanTransformerConfig finishedConfig = TinyModel.Transformer, wider = finishedConfig with { InChannels = finishedConfig.InChannels + 3, OutChannels = finishedConfig.OutChannels + 3 };
        using DiffusionTransformer network = Start(wider);
        using var finished = new DiffusionTransformer(finishedConfig, new CheckpointParameters(Finished, float32, CPU));
        Tensor latents = RandomTensor.Create(1, 2, finishedConfig.InChannels, 2, 4, 4), text = RandomTensor.Create(2, 2, 5, wider.TextDim), more = RandomTensor.Create(3, 2, 3, 2, 4, 4);
        float[] times = [300, 800];
        Tensor before = finished.Forward(latents, times, finished.Prepare(text));
        Tensor empty = network.Forward(cat([latents, more * 0], 1), times, network.Prepare(text)), after = network.Forward(cat([latents, more], 1), times, network.Prepare(text));
        Assert.InRange((empty.narrow(1, 0, finishedConfig.OutChannels) - before).abs().max().item<float>(), 0, 1e-6);
        Assert.InRange((after - empty).abs().max().item<float>(), 1e-4, 10);
        Assert.Equal(0, after.narrow(1, finishedConfig.OutChannels, 3).abs().max().item<float>());

        Parameter embedding = network.Parameters["patch_embedding.weight"];
        double Size(Tensor values) => values.square().mean().sqrt().item<float>();
        Assert.Equal(Size(embedding.narrow(1, 0, finishedConfig.InChannels)), Size(embedding.narrow(1, finishedConfig.InChannels, 3)), 1e-5);
    }

    [Fact]
    public void DetailsComeBetweenThePictureAndTheMap()
    {
        using DisposeScope scope = NewDisposeScope();
        using IDisposable noGradients = no_grad();
        const int map = 1, details = 3;
        WanTransformerConfig finishedConfig = TinyModel.Transformer, wider = finishedConfig with { InChannels = finishedConfig.InChannels + details, OutChannels = finishedConfig.OutChannels + details };
        using DiffusionTransformer network = Start(wider, map);
        using var finished = new DiffusionTransformer(finishedConfig, new CheckpointParameters(Finished, float32, CPU));
        Tensor latents = RandomTensor.Create(1, 2, finishedConfig.InChannels, 2, 4, 4), text = RandomTensor.Create(2, 2, 5, wider.TextDim), more = RandomTensor.Create(3, 2, details, 2, 4, 4);
        int picture = finishedConfig.InChannels - map;
        float[] times = [300, 800];
        Tensor before = finished.Forward(latents, times, finished.Prepare(text));
        Tensor empty = Run(more * 0), after = Run(more);
        Tensor kept = cat([empty.narrow(1, 0, picture), empty.narrow(1, picture + details, map)], 1);
        Assert.InRange((kept - before).abs().max().item<float>(), 0, 1e-6);
        Assert.Equal(0, after.narrow(1, picture, details).abs().max().item<float>());
        Assert.InRange((after - empty).abs().max().item<float>(), 1e-5, 10);

        Parameter embedding = network.Parameters["patch_embedding.weight"];
        double Size(Tensor values) => values.square().mean().sqrt().item<float>();
        Assert.Equal(0.25 * Size(finished.Parameters["patch_embedding.weight"]), Size(embedding.narrow(1, picture, details)), 1e-5);

        Tensor Run(Tensor drawn) => network.Forward(cat([latents.narrow(1, 0, picture), drawn, latents.narrow(1, picture, map)], 1), times, network.Prepare(text));
    }

    [Fact]
    public void TexturesOfAMapBeginAsNothing()
    {
        using DisposeScope scope = NewDisposeScope();
        using IDisposable noGradients = no_grad();
        // One cell a patch, and channels for a map.
        WanTransformerConfig mapped = TinyModel.Transformer with { PatchSize = [1, 1, 1], InChannels = TinyModel.Transformer.InChannels + 12, OutChannels = TinyModel.Transformer.OutChannels + 12 };
        using DiffusionTransformer plain = Start(mapped), textured = Start(mapped with { MapHarmonics = 2, MapGain = 8 });
        Tensor latents = RandomTensor.Create(1, 1, mapped.InChannels, 2, 4, 4), text = RandomTensor.Create(2, 1, 5, mapped.TextDim);
        Tensor before = plain.Forward(latents, [500], plain.Prepare(text));
        Assert.Equal(0, RandomTensor.Distance(before, textured.Forward(latents, [500], textured.Prepare(text))));
        Parameter table = textured.Parameters["texture_embedding.weight"];
        table.copy_(RandomTensor.Create(3, table.shape));
        Assert.True(RandomTensor.Distance(before, textured.Forward(latents, [500], textured.Prepare(text))) > 1e-3);

        // Samples read random drawings, of which nothing is made at first.
        using DiffusionTransformer sampled = Start(mapped with { MapHarmonics = 2, MapGain = 8, MapSamples = 3 });
        Assert.Equal(0, RandomTensor.Distance(before, sampled.Forward(latents, [500], sampled.Prepare(text))));
        Assert.InRange(sampled.Parameters["texture_embedding.samples.drawings.weight"].square().mean().item<float>(), 0.7 / 25, 1.4 / 25);
        Parameter code = sampled.Parameters["texture_embedding.samples.code.weight"];
        code.copy_(RandomTensor.Create(3, code.shape));
        Assert.True(RandomTensor.Distance(before, sampled.Forward(latents, [500], sampled.Prepare(text))) > 1e-3);
    }

    [Fact]
    public void OtherPatchesAndOtherNetworksAreRefused()
    {
        using DisposeScope scope = NewDisposeScope();
        Assert.Contains(
            "patches of 1x2x2, and patch_size is 1x4x4; allowed: the same, or divisors of it",
            Assert.Throws<SoraException>(() => Start(TinyModel.Transformer with { PatchSize = [1, 4, 4] })).Message, StringComparison.Ordinal);
        Assert.Throws<SoraException>(() => Start(TinyModel.Transformer with { PatchSize = [1, 1, 1], FfnDim = 64 }));
        Assert.Contains("has in_channels ", Assert.Throws<SoraException>(() => Start(TinyModel.Transformer with { InChannels = 1 })).Message, StringComparison.Ordinal);
        Assert.Contains("has 2 blocks, and num_layers is 1; allowed: as many, or more", Assert.Throws<SoraException>(() => Start(TinyModel.Transformer with { NumLayers = 1 })).Message, StringComparison.Ordinal);
    }

    private static DiffusionTransformer Start(WanTransformerConfig config, int map = 0)
    {
        var network = new DiffusionTransformer(config, new FreshParameters(7, float32));
        try
        {
            WarmStart.CopyTransformer(network.Parameters, config, Finished, map);
            return network;
        }
        catch
        {
            network.Dispose();
            throw;
        }
    }

    private static Tensor Embed(DiffusionTransformer network, Tensor latents, WanTransformerConfig config)
    {
        Parameter weight = network.Parameters["patch_embedding.weight"];
        return nn.functional.linear(Patchify.Cut(latents, config.PatchSize), weight.flatten(1), network.Parameters["patch_embedding.bias"]);
    }
}
