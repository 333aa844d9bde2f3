using Sora.Patches;
using Sora.Tests.Engine;
using Sora.Tests.Frames;
using Sora.Tests.Training.SpriteWorld;
using Sora.Training;
using Sora.Training.Data;
using Sora.Training.SpriteWorld;
using Xunit;

namespace Sora.Tests.Training.Data;

/// <summary>Trainings on clips of different sizes: what a step sees, that it resumes bit for bit, that folders work from end to end.</summary>
public class NativeSizeTrainingTests
{
    private static readonly ClipShapes s_small = new() { LeastArea = 16 * 16, MostArea = 32 * 48, LeastFrames = 5, MostFrames = 9 };

    [Fact]
    public void AStepPacksClipsOfTheirOwnShapes()
    {
        using var scratch = new Scratch();
        FlowTrainingConfig config = OfTheWorld(scratch.Folder) with { TokensPerStep = 60, DetailedShare = 0.5, CaptionDropout = 0.2 };
        using IFlowBatches batches = Open(config);
        using IFlowBatches again = Open(config);
        var grids = new HashSet<PatchGrid>();
        var captions = new List<string>();
        int all = 0;
        for (long step = 0; step < 40; step++)
        {
            using DisposeScope scope = NewDisposeScope();
            FlowBatch batch = batches.Draw(step);
            int tokens = batch.Grids.Sum(grid => grid.Count);
            Assert.InRange(tokens, 1, 60);
            all += tokens;
            Assert.Equal([tokens, 16], batch.Data.shape);
            Assert.Equal([tokens, 16], batch.Noise.shape);
            Assert.Equal(tokens, batch.Levels.Length);
            Assert.Equal(batch.Grids.Count, batch.Captions.Count);
            grids.UnionWith(batch.Grids);
            captions.AddRange(batch.Captions);
            if (step % 13 == 0)
            {
                FlowBatch same = again.Draw(step);
                Assert.Equal(0, RandomTensor.Distance(batch.Data, same.Data));
                Assert.Equal(0, RandomTensor.Distance(batch.Noise, same.Noise));
                Assert.Equal(batch.Levels, same.Levels);
                Assert.Equal(batch.Captions, same.Captions);
            }
        }
        Assert.InRange(all, 0.95 * 40 * 60, 40 * 60);
        Assert.True(grids.Count >= 6);
        Assert.InRange(captions.Count(caption => caption.Length == 0) / (double)captions.Count, 0.12, 0.28);
        Assert.InRange(captions.Count(caption => caption.Contains("camera", StringComparison.Ordinal)) / (double)captions.Count, 0.3, 0.5);
        foreach (PatchGrid grid in grids)
            Assert.InRange(grid.Count, 1, 3 * 6);
    }

    [Fact]
    public void AnInterruptedTrainingEndsWithTheSameWeights()
    {
        using var scratch = new Scratch();
        Train(OfTheWorld(scratch["straight"]), SyntheticAtlas.FirstEdition, stopAt: null);
        Train(OfTheWorld(scratch["broken"]), SyntheticAtlas.FirstEdition, stopAt: 2);
        Train(OfTheWorld(scratch["broken"]), SyntheticAtlas.FirstEdition, stopAt: null);
        Assert.Equal(File.ReadAllBytes(Weights("straight")), File.ReadAllBytes(Weights("broken")));

        string Weights(string run) => Path.Combine(scratch[run], "model", "transformer", "diffusion_pytorch_model.safetensors");
    }

    [Fact]
    public async Task TrainsOnAFolderOfVideosWithoutTheDrawnWorld()
    {
        using var scratch = new Scratch();
        string videos = Directory.CreateDirectory(scratch["videos"]).FullName;
        MadeVideo.Write(Path.Combine(videos, "cut.mp4"), rate: 8, 12, 12);
        File.WriteAllText(Path.Combine(videos, "cut.txt"), "colours drift\n" + string.Concat(Enumerable.Repeat("colours drift ", 20)));
        TestClip.Write(Path.Combine(videos, "tall.png"), 30, 60, 1);
        File.WriteAllText(Path.Combine(videos, "tall.txt"), "ein hohes Bild");
        FlowTrainingConfig config = OfTheWorld(scratch["run"]) with { Data = new() { Folder = videos } };
        var log = new List<string>();
        Train(config, null, stopAt: null, log);
        Assert.Contains(log, line => line.Contains("3 clips in 2 shapes", StringComparison.Ordinal));
        Assert.Contains("1 of 3 captions have more tokens than max_text_length 24, and their ends are not seen; the longest has 41", log);
        Assert.True(File.ReadAllBytes(Path.Combine(config.RunFolder, "spiece.model")).AsSpan().IndexOf("hohes"u8) > 0);

        using VideoGenerator generator = await VideoGenerator.LoadAsync(config.OutputFolder);
        using GeneratedVideo video = await generator.GenerateAsync(new VideoRequest("colours drift") { Steps = 1 });
        Assert.Equal(9, video.Frames.Count);
    }

    [Fact]
    public void AStepThatIsTooSmallForAClipIsRefused()
    {
        using var scratch = new Scratch();
        var exception = Assert.Throws<SoraException>(() => Open(OfTheWorld(scratch.Folder) with { TokensPerStep = 10 }));
        Assert.Contains("tokens_per_step 10 is less than the", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void TheSettingsAreReadFromATrainingsFile()
    {
        using var scratch = new Scratch();
        string text = """
            {"kind": "flow", "vae_folder": "v", "run_folder": "r", "output_folder": "o", "detailed_share": 0.4, "latent_folder": "l",
             "data": DATA, "shapes": {"most_area": 9216, "most_frames": 17},
             "transformer": {"_class_name": "WanTransformer3DModel", "patch_size": [1, 2, 2], "num_attention_heads": 1, "attention_head_dim": 16, "in_channels": 4,
              "out_channels": 4, "text_dim": 8, "freq_dim": 16, "ffn_dim": 16, "num_layers": 1, "cross_attn_norm": true, "qk_norm": "rms_norm_across_heads", "eps": 1e-06},
             "text_encoder": {"architectures": ["UMT5EncoderModel"], "model_type": "umt5", "d_model": 8, "d_kv": 4, "d_ff": 8, "num_heads": 2, "num_layers": 1, "vocab_size": 9}}
            """;
        FlowTrainingConfig config = Read("{\"folder\": \"clips\", \"cut_threshold\": 0.2}").Flow!;
        Assert.Equal(("clips", 0.2, 4000), (config.Data.Folder, config.Data.CutThreshold, config.Data.LongestCaption));
        Assert.Equal((9216, 17, 48 * 48), (config.Shapes!.MostArea, config.Shapes.MostFrames, config.Shapes.LeastArea));
        Assert.Equal((0.4, "l"), (config.DetailedShare, config.LatentFolder));
        Assert.Same(TrainingData.World, Read("\"world\"").Flow!.Data);
        Assert.Contains("data is \"wolrd\"", Assert.Throws<SoraException>(() => Read("\"wolrd\"")).Message, StringComparison.Ordinal);
        Assert.Contains("nearest: cut_threshold", Assert.Throws<SoraException>(() => Read("{\"folder\": \"c\", \"cut_treshold\": 1}")).Message, StringComparison.Ordinal);
        Assert.Contains("cut_threshold 7", Assert.Throws<SoraException>(() => Read("{\"folder\": \"c\", \"cut_threshold\": 7}")).Message, StringComparison.Ordinal);

        TrainingFile Read(string data)
        {
            File.WriteAllText(scratch["train.json"], text.Replace("DATA", data, StringComparison.Ordinal));
            return TrainingFile.Load(scratch["train.json"]);
        }
    }

    private static FlowTrainingConfig OfTheWorld(string folder)
    {
        FlowTrainingConfig config = TinyTraining.Flow(folder, 5) with { Shapes = s_small, Clips = 12, Pictures = 12, TokensPerStep = 48 };
        TinyVae.Write(config.VaeFolder);
        return config;
    }

    private static IFlowBatches Open(FlowTrainingConfig config) =>
        FlowBatches.Open(config, SyntheticAtlas.FirstEdition, null, float32, _ => { }, default);

    private static void Train(FlowTrainingConfig config, World? world, long? stopAt, List<string>? log = null)
    {
        using var stop = new CancellationTokenSource();
        using var trainer = new FlowTrainer(config, world, float32, message => log?.Add(message), stop.Token);
        trainer.StepDone = steps =>
        {
            if (steps == stopAt)
                stop.Cancel();
        };
        if (stopAt is null)
            trainer.Run(_ => { }, stop.Token);
        else
            Assert.Throws<OperationCanceledException>(() => trainer.Run(_ => { }, stop.Token));
    }
}
