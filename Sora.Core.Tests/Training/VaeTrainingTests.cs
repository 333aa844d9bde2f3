using System.Text.Json;
using Sora.Tests.Engine;
using Sora.Tests.Training.Data;
using Sora.Tests.Training.SpriteWorld;
using Sora.Training;
using Sora.Weights;
using Xunit;

namespace Sora.Tests.Training;

/// <summary>Trainings of the autoencoder on folders, of its decoder alone, and with structural similarity.</summary>
[Collection(LiveTensors.Name)]
public sealed class VaeTrainingTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("sora-vae-").FullName;

    public void Dispose() => Directory.Delete(_folder, true);

    [Fact]
    public void LearnsFromAFolderOfVideosWithoutCaptions()
    {
        string videos = Directory.CreateDirectory(Path.Combine(_folder, "videos")).FullName;
        for (int i = 0; i < 3; i++)
            MadeVideo.Write(Path.Combine(videos, $"{i}.mp4"), 8, 40);
        File.WriteAllText(Path.Combine(videos, "broken.mp4"), "no video");
        VaeTrainingConfig config = OfFolder(videos, 40);
        var log = new List<string>();
        using (var trainer = new VaeTrainer(config, null, float32, null, log.Add))
            trainer.Run(log.Add, default);
        Assert.Contains(log, line => line.Contains("broken.mp4", StringComparison.Ordinal));
        Assert.Contains(log, line => line.StartsWith("vae PSNR on the folder's clips", StringComparison.Ordinal) && line.Contains("SSIM", StringComparison.Ordinal));
        JsonElement[] validations = [.. File.ReadAllLines(Path.Combine(config.RunFolder, "metrics.jsonl")).Select(line => JsonSerializer.Deserialize<JsonElement>(line))
            .Where(row => row.TryGetProperty("validation", out _)).Select(row => row.GetProperty("validation"))];
        Assert.True(validations[^1].GetProperty("psnr").GetDouble() > validations[0].GetProperty("psnr").GetDouble() + 0.5);
        Assert.True(validations[^1].GetProperty("ssim").GetDouble() > validations[0].GetProperty("ssim").GetDouble());
        using var vae = new CheckpointParameters(config.OutputFolder, float32, CPU);
    }

    [Fact]
    public void AnInterruptedOneOnAFolderEndsWithTheSameWeights()
    {
        string videos = Directory.CreateDirectory(Path.Combine(_folder, "videos")).FullName;
        MadeVideo.Write(Path.Combine(videos, "a.mp4"), 8, 40, 30);
        VaeTrainingConfig straight = OfFolder(videos, 6), broken = straight with { RunFolder = Path.Combine(_folder, "broken"), OutputFolder = Path.Combine(_folder, "broken-vae") };
        using (var trainer = new VaeTrainer(straight, null, float32))
            trainer.Run(_ => { }, default);
        using (var stop = new CancellationTokenSource())
        using (var trainer = new VaeTrainer(broken, null, float32))
        {
            trainer.StepDone = steps =>
            {
                if (steps == 3)
                    stop.Cancel();
            };
            Assert.Throws<OperationCanceledException>(() => trainer.Run(_ => { }, stop.Token));
        }
        using (var trainer = new VaeTrainer(broken, null, float32))
            trainer.Run(_ => { }, default);
        Assert.Equal(
            File.ReadAllBytes(Path.Combine(straight.OutputFolder, "diffusion_pytorch_model.safetensors")),
            File.ReadAllBytes(Path.Combine(broken.OutputFolder, "diffusion_pytorch_model.safetensors")));
    }

    [Fact]
    public void AClipIsDecodedOnceWhileThereIsRoom()
    {
        var shape = new ClipShape(16, 16, 5);
        var clips = new FakeClips(("a", shape), ("b", shape), ("c", shape));
        var batches = new FolderVaeBatches(clips, 10_000, 1, memory: 2 * shape.Pixels * 3);
        byte[][] first = Round(0), second = Round(1);
        Assert.Equal(first.Select(rgb => rgb[0]).Order(), second.Select(rgb => rgb[0]).Order());
        Assert.Equal(4, clips.Drawn.Count); // the third one again
        Assert.Equal([1, 1, 2], clips.Drawn.GroupBy(clip => clip).Select(times => times.Count()).Order());

        byte[][] Round(int number) => [.. Enumerable.Range(3 * number, 3).Select(i => batches.Draw(i).Rgb)];
    }

    // Latents of 5 by 3 have no halves: clips are cut so that they have.
    [Fact]
    public void OddLatentsAreNotHalved()
    {
        string videos = Directory.CreateDirectory(Path.Combine(_folder, "videos")).FullName;
        MadeVideo.Write(Path.Combine(videos, "a.mp4"), 8, 20);
        using var trainer = new VaeTrainer(OfFolder(videos, 2) with { EquivarianceShare = 1, Shapes = new() { MostArea = 40 * 24, MostFrames = 5 } }, null, float32);
        trainer.Run(_ => { }, default);
    }

    [Fact]
    public void TheDecoderAloneLeavesTheLatentsAsTheyAre()
    {
        VaeTrainingConfig first = TinyTraining.Vae(_folder, 3);
        using (var trainer = new VaeTrainer(first, SyntheticAtlas.FirstEdition, float32))
            trainer.Run(_ => { }, default);
        // In float32, as the published ones are.
        string weights = Path.Combine(first.OutputFolder, "diffusion_pytorch_model.safetensors");
        using (var parameters = new CheckpointParameters(first.OutputFolder, float32, CPU))
        using (var network = new Sora.VideoVae.VideoAutoencoder(AutoencoderKLWanConfig.Load(Path.Combine(first.OutputFolder, "config.json")), parameters))
        using (no_grad())
        {
            SafetensorsContent[] wide = [.. network.Parameters.Select(p => TrainingState.ContentOf(p.Key, p.Value * 1.001, float32))];
            SafetensorsWriter.Write(weights, wide);
        }
        VaeTrainingConfig config = first with { StartFolder = first.OutputFolder, RunFolder = Path.Combine(_folder, "decoder"), OutputFolder = Path.Combine(_folder, "decoder-vae"), DecoderOnly = true, SimilarityWeight = 0.5, Steps = 4 };
        using (var trainer = new VaeTrainer(config, SyntheticAtlas.FirstEdition, float32))
            trainer.Run(_ => { }, default);
        AutoencoderKLWanConfig before = AutoencoderKLWanConfig.Load(Path.Combine(first.OutputFolder, "config.json")), after = AutoencoderKLWanConfig.Load(Path.Combine(config.OutputFolder, "config.json"));
        Assert.Equal((before.LatentsMean, before.LatentsStd), (after.LatentsMean, after.LatentsStd));
        Assert.Contains(before.LatentsStd, deviation => deviation != 1);
        using SafetensorsFile old = SafetensorsFile.Open(weights), now = SafetensorsFile.Open(Path.Combine(config.OutputFolder, "diffusion_pytorch_model.safetensors"));
        Assert.Equal(old.Entries.Keys.Order(), now.Entries.Keys.Order());
        int moved = 0;
        foreach (string name in old.Entries.Keys)
        {
            bool same = old.Bytes(old.Entries[name]).SequenceEqual(now.Bytes(now.Entries[name]));
            if (name.StartsWith("encoder.", StringComparison.Ordinal) || name.StartsWith("quant_conv.", StringComparison.Ordinal))
                Assert.True(same, name);
            moved += same ? 0 : 1;
        }
        Assert.True(moved > 10, $"{moved} tensors moved");
    }

    [Fact]
    public void MoreChannelsBeginAsNothingToTheDecoder()
    {
        string start = TinyVae.Write(Path.Combine(_folder, "start"));
        VaeTrainingConfig config = Wider(TinyTraining.Vae(_folder, 1) with { StartFolder = start });
        using DisposeScope scope = NewDisposeScope();
        using IDisposable noGradients = no_grad();
        using Sora.VideoVae.VideoAutoencoder before = TinyVae.Load(start);
        using var trainer = new VaeTrainer(config, SyntheticAtlas.FirstEdition, float32);
        Tensor video = RandomTensor.Create(1, 1, 3, 5, 32, 32);
        Sora.VideoVae.LatentMoments expected = before.Encode(video), moments = trainer.Network.Encode(video);
        Assert.InRange((moments.Mean.narrow(1, 0, 4) - expected.Mean).abs().max().item<float>(), 0, 1e-5);
        Assert.InRange((moments.LogVariance.narrow(1, 0, 4) - expected.LogVariance).abs().max().item<float>(), 0, 1e-5);
        Assert.InRange(moments.Mean.narrow(1, 4, 2).abs().max().item<float>(), 1e-3, 10);
        Assert.InRange(moments.LogVariance.narrow(1, 4, 2).mean().item<float>(), -6, -2);
        Assert.InRange((trainer.Network.Decode(moments.Mean) - before.Decode(expected.Mean)).abs().max().item<float>(), 0, 1e-5);
    }

    [Fact]
    public void ALinearCodeBeginsWithWhatTheNetworksLose()
    {
        string start = TinyVae.Write(Path.Combine(_folder, "start"));
        using DisposeScope scope = NewDisposeScope();
        using IDisposable noGradients = no_grad();
        using Sora.VideoVae.VideoAutoencoder before = TinyVae.Load(start);
        // Clips that the fit does not see.
        Tensor video = new SpriteClips(SyntheticAtlas.FirstEdition, 8, 77).Draw(1, new(64, 64, 5), 4).ToTensor(CPU), first = video.narrow(2, 0, 1);
        double lostFirst = Error(before, first), last = Error(before, video);
        foreach (int channels in (int[])[8, 32, 192])
        {
            VaeTrainingConfig config = WithCode(TinyTraining.Vae(_folder, 1) with { StartFolder = start, RunFolder = Path.Combine(_folder, $"run-{channels}") }, channels);
            using var trainer = new VaeTrainer(config, SyntheticAtlas.FirstEdition, float32);
            Tensor latents = trainer.Network.Encode(video).Mean;
            Assert.InRange(RandomTensor.Distance(latents.narrow(1, 0, 4), before.Encode(video).Mean), 0, 1e-4f);
            double error = Error(trainer.Network, video);
            Assert.True(error < last * 0.8, $"{channels} channels: {error}, {last} before");
            last = error;
            // Without it the picture is the networks' own.
            Assert.InRange(RandomTensor.Distance(trainer.Network.Decode(trainer.Network.WithoutCode(latents)), before.Decode(latents.narrow(1, 0, 4))), 0, 1e-4f);
            // A first frame has 192 numbers a block. What the networks draw is limited to a picture's range before anything is lost.
            if (channels == 192)
                Assert.InRange(Error(trainer.Network, first), 0, lostFirst * 1e-3);
        }

        static double Error(Sora.VideoVae.VideoAutoencoder vae, Tensor clip) => (vae.Decode(vae.Encode(clip).Mean) - clip).square().mean().item<float>();
    }

    [Fact]
    public void ALinearCodeIsTrainedOn()
    {
        string start = TinyVae.Write(Path.Combine(_folder, "start"));
        VaeTrainingConfig first = WithCode(TinyTraining.Vae(_folder, 3) with { StartFolder = start }, 2);
        List<string> log = [];
        using (var trainer = new VaeTrainer(first, SyntheticAtlas.FirstEdition, float32, log: log.Add))
            trainer.Run(log.Add, default);
        Assert.Contains("fitting 2 channels of a linear code to what the autoencoder loses", log);
        Assert.Contains(log, line => line.EndsWith(" dB without its linear code", StringComparison.Ordinal));
        using DisposeScope scope = NewDisposeScope();
        using IDisposable noGradients = no_grad();
        using Sora.VideoVae.VideoAutoencoder finished = TinyVae.Load(first.OutputFolder);
        Assert.Equal((4, 2), (finished.Config.LinearCodeFirst, finished.Config.LinearCodeChannels));
        Assert.All((string[])["encode", "encode_first", "decode", "decode_first", "smooth.0", "smooth.1"], name => Assert.True(finished.Parameters[$"linear_code.{name}.weight"].abs().max().item<float>() > 1e-5f, name));
        Tensor video = RandomTensor.Create(1, 1, 3, 5, 32, 32).tanh();

        log.Clear();
        VaeTrainingConfig more = first with { StartFolder = first.OutputFolder, RunFolder = Path.Combine(_folder, "more") };
        using (var trainer = new VaeTrainer(more, SyntheticAtlas.FirstEdition, float32, log: log.Add))
        {
            Assert.DoesNotContain(log, line => line.StartsWith("fitting", StringComparison.Ordinal));
            Assert.InRange(RandomTensor.Distance(trainer.Network.Encode(video).Mean, finished.Encode(video).Mean), 0, 1e-4f);
        }
        Assert.EndsWith(
            "has linear_code_first 4 and linear_code_channels 2, and they are 3 and 2; allowed: the same first, and as many channels or more.",
            Refusal(more with { RunFolder = Path.Combine(_folder, "other"), Vae = more.Vae with { LinearCodeFirst = 3 } }), StringComparison.Ordinal);
        Assert.Contains("linear_code_channels 2, and they are 4 and 1; ", Refusal(WithCode(more with { RunFolder = Path.Combine(_folder, "other") }, 1)), StringComparison.Ordinal);

        string between = Directory.CreateDirectory(Path.Combine(_folder, "between")).FullName;
        (finished.Config with { LinearCodeFirst = 3 }).Save(Path.Combine(between, "config.json"));
        VaeTrainingConfig moved = WithCode(more with { RunFolder = Path.Combine(_folder, "other"), StartFolder = between }, 5);
        Assert.EndsWith(
            "between has channels after its linear code, and linear_code_channels is 5; allowed: 2, or the autoencoder without those.",
            Refusal(moved with { Vae = moved.Vae with { LinearCodeFirst = 3 } }), StringComparison.Ordinal);

        // More channels come after those that there are, which stay, and keep more of what is lost.
        Tensor drawn = new SpriteClips(SyntheticAtlas.FirstEdition, 8, 77).Draw(1, new(64, 64, 5), 4).ToTensor(CPU);
        using (var trainer = new VaeTrainer(WithCode(more with { RunFolder = Path.Combine(_folder, "wider") }, 40), SyntheticAtlas.FirstEdition, float32, log: log.Add))
        {
            Assert.Contains("fitting 38 channels of a linear code to what the autoencoder loses", log);
            Tensor latents = trainer.Network.Encode(drawn).Mean, before = finished.Encode(drawn).Mean;
            Assert.InRange(RandomTensor.Distance(latents.narrow(1, 0, 6), before), 0, 1e-4f);
            double Error(Tensor y) => (y - drawn).square().mean().item<float>();
            Assert.InRange(Error(trainer.Network.Decode(latents)), 0, 0.5 * Error(finished.Decode(before)));
            // And without them the picture is what it was.
            latents.narrow(1, 6, 38).zero_();
            Assert.InRange(RandomTensor.Distance(trainer.Network.Decode(latents), finished.Decode(before)), 0, 1e-4f);
        }
        Assert.Contains(
            "linear_code_first is 5 and linear_code_channels 2; allowed: from 1, and to z_dim, 6, at most together.",
            Assert.Throws<SoraException>(() => AutoencoderKLWanConfig.Parse((more.Vae with { LinearCodeFirst = 5 }).ToJson())).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public void WithoutTheCodeTheNetworksDrawByThemselves(double dropout)
    {
        VaeTrainingConfig config = WithCode(TinyTraining.Vae(_folder, 4), 2) with { LinearCodeDropout = dropout };
        using (var trainer = new VaeTrainer(config, SyntheticAtlas.FirstEdition, float32))
        {
            using IDisposable noGradients = no_grad();
            using Tensor before = trainer.Network.Parameters["linear_code.decode.weight"].clone();
            using (set_grad_enabled(true))
                trainer.Run(_ => { }, default);
            // Of what is never seen nothing is learned, but for the decay.
            float moved = RandomTensor.Distance(before, trainer.Network.Parameters["linear_code.decode.weight"]);
            Assert.True(dropout == 1 ? moved < 1e-5f : moved > 1e-4f, $"{moved}");
        }
    }

    [Fact]
    public void TheSquaredErrorsWeightIsUsed()
    {
        float[] Weights(string name, double weight)
        {
            VaeTrainingConfig config = TinyTraining.Vae(_folder, 4) with { RunFolder = Path.Combine(_folder, name), OutputFolder = Path.Combine(_folder, name, "vae"), LearningRate = 0.02, SquaredWeight = weight };
            using (var trainer = new VaeTrainer(config, SyntheticAtlas.FirstEdition, float32))
                trainer.Run(_ => { }, default);
            using Sora.VideoVae.VideoAutoencoder network = TinyVae.Load(config.OutputFolder);
            return network.Parameters["decoder.conv_out.weight"].data<float>().ToArray();
        }

        float[] usual = Weights("usual", 0.5);
        Assert.Equal(usual, Weights("again", 0.5));
        Assert.NotEqual(usual, Weights("other", 50));
    }

    [Fact]
    public void KeptLatentsStayWhileChannelsThatAreMoreLearn()
    {
        string start = TinyVae.Write(Path.Combine(_folder, "start"));
        AutoencoderKLWanConfig measured = AutoencoderKLWanConfig.Load(Path.Combine(start, "config.json")) with { LatentsMean = [0.1, 0.2, 0.3, 0.4], LatentsStd = [0.5, 0.6, 0.7, 0.8] };
        measured.Save(Path.Combine(start, "config.json"));
        VaeTrainingConfig free = Wider(TinyTraining.Vae(_folder, 12) with { StartFolder = start, LearningRate = 0.01 });
        double moved = Moved(free), kept = Moved(free with { RunFolder = Path.Combine(_folder, "kept"), OutputFolder = Path.Combine(_folder, "kept-vae"), KeepLatents = 100 });
        Assert.True(kept < moved / 3, $"{kept} kept, {moved} free");
        AutoencoderKLWanConfig after = AutoencoderKLWanConfig.Load(Path.Combine(_folder, "kept-vae", "config.json"));
        Assert.Equal([0.1, 0.2, 0.3, 0.4], after.LatentsMean.Take(4));
        Assert.Equal([0.5, 0.6, 0.7, 0.8], after.LatentsStd.Take(4));
        Assert.All(after.LatentsStd.Skip(4), deviation => Assert.NotEqual(1, deviation));

        double Moved(VaeTrainingConfig config)
        {
            using (var trainer = new VaeTrainer(config, SyntheticAtlas.FirstEdition, float32))
                trainer.Run(_ => { }, default);
            using DisposeScope scope = NewDisposeScope();
            using IDisposable noGradients = no_grad();
            using Sora.VideoVae.VideoAutoencoder before = TinyVae.Load(start), network = TinyVae.Load(config.OutputFolder);
            Tensor video = RandomTensor.Create(1, 1, 3, 5, 32, 32).tanh();
            return (network.Encode(video).Mean.narrow(1, 0, 4) - before.Encode(video).Mean).square().mean().item<float>();
        }
    }

    [Fact]
    public void WhatCannotBeTrainedIsNamed()
    {
        VaeTrainingConfig config = TinyTraining.Vae(_folder, 3);
        Assert.Equal("keep_latents needs start_folder, the component whose latents are kept.", Refusal(config with { KeepLatents = 1 }));
        string wide = TinyVae.Write(Path.Combine(_folder, "wide"));
        Assert.EndsWith("has z_dim 4, and z_dim is 3; allowed: as many, or more.", Refusal(config with { StartFolder = wide, Vae = config.Vae with { ZDim = 3, LatentsMean = [0, 0, 0], LatentsStd = [1, 1, 1] } }), StringComparison.Ordinal);
        Assert.Equal("decoder_only needs start_folder, the component whose encoder stays.", Refusal(config with { DecoderOnly = true }));
        Assert.EndsWith("has z_dim 4, and z_dim is 6; with decoder_only, whose encoder learns nothing, allowed: 4.", Refusal(Wider(config with { StartFolder = wide, DecoderOnly = true })), StringComparison.Ordinal);
        string videos = Directory.CreateDirectory(Path.Combine(_folder, "videos")).FullName;
        Assert.Contains("has no videos or images", Refusal(OfFolder(videos, 2)), StringComparison.Ordinal);
        MadeVideo.Write(Path.Combine(videos, "a.mp4"), 8, 20);
        Assert.Contains("pixels_per_step 100 is less than the", Refusal(OfFolder(videos, 2) with { PixelsPerStep = 100 }), StringComparison.Ordinal);
        Assert.Contains("shapes are those of a folder's clips", Refusal(config with { Shapes = new() }), StringComparison.Ordinal);
        Assert.Contains("similarity_weight -1 is out of range", Assert.Throws<SoraException>(() => config with { SimilarityWeight = -1 }).Message, StringComparison.Ordinal);
    }

    // The definition, window by window, in numbers of 64 bits.
    [Theory]
    [InlineData(14, 17)]
    [InlineData(8, 12)]
    public void StructuralSimilarityIsWangs(int height, int width)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor a = RandomTensor.Create(1, 1, 2, 3, height, width).tanh(), b = (a * 0.7) + (RandomTensor.Create(2, 1, 2, 3, height, width) * 0.1) + 0.05;
        int side = Math.Min(11, Math.Min(height, width));
        double[] line = [.. Enumerable.Range(0, side).Select(i => Math.Exp(-Math.Pow(i - ((side - 1) / 2.0), 2) / 4.5))];
        float[] x = a.data<float>().ToArray(), y = b.data<float>().ToArray();
        double total = 0, whole = Math.Pow(line.Sum(), 2);
        int count = 0;
        for (int plane = 0; plane < 6; plane++)
        {
            for (int top = 0; top + side <= height; top++)
            {
                for (int left = 0; left + side <= width; left++, count++)
                {
                    double mx = 0, my = 0, xx = 0, yy = 0, xy = 0;
                    for (int i = 0; i < side * side; i++)
                    {
                        int at = (((plane * height) + top + (i / side)) * width) + left + (i % side);
                        double w = line[i / side] * line[i % side] / whole;
                        (mx, my, xx, yy, xy) = (mx + (w * x[at]), my + (w * y[at]), xx + (w * x[at] * x[at]), yy + (w * y[at] * y[at]), xy + (w * x[at] * y[at]));
                    }
                    total += ((2 * mx * my) + 0.0004) * ((2 * (xy - (mx * my))) + 0.0036)
                        / (((mx * mx) + (my * my) + 0.0004) * (xx - (mx * mx) + yy - (my * my) + 0.0036));
                }
            }
        }
        Assert.Equal(total / count, StructuralSimilarity.Of(a, b).item<float>(), 1e-4);
        Assert.Equal(1, StructuralSimilarity.Of(a, a).item<float>(), 1e-5);
    }

    private VaeTrainingConfig OfFolder(string videos, long steps) => TinyTraining.Vae(_folder, steps) with
    {
        Data = new() { Folder = videos },
        Shapes = new() { MostArea = 32 * 48, LeastFrames = 5, MostFrames = 9 },
        PixelsPerStep = 20_000,
        ValidationSteps = 10,
        LearningRate = 4e-3,
    };

    private static VaeTrainingConfig WithCode(VaeTrainingConfig config, int channels) => config with
    {
        Vae = config.Vae with { LinearCodeFirst = 4, LinearCodeChannels = channels, ZDim = 4 + channels, LatentsMean = [.. Enumerable.Repeat(0.0, 4 + channels)], LatentsStd = [.. Enumerable.Repeat(1.0, 4 + channels)] },
    };

    private static VaeTrainingConfig Wider(VaeTrainingConfig config) =>
        config with { Vae = config.Vae with { ZDim = 6, LatentsMean = [0, 0, 0, 0, 0, 0], LatentsStd = [1, 1, 1, 1, 1, 1] } };

    private static string Refusal(VaeTrainingConfig config) =>
        Assert.Throws<SoraException>(() => new VaeTrainer(config, config.Data.Folder is null ? SyntheticAtlas.FirstEdition : null, float32)).Message;
}
