using Sora.Training;
using Sora.Weights;
using Xunit;

namespace Sora.Tests.Training;

public sealed class TrainingSettingsTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("sora-settings-").FullName;

    private string Checkpoint => Path.Combine(_folder, "state.safetensors");

    [Fact]
    public void TheSameSettingsAreTheSameTraining()
    {
        Save(Config());
        Assert.Empty(Of(Config()).Compare(Checkpoint));
        Assert.Empty(Of(Config()).Compare(Path.Combine(_folder, "none.safetensors")));
    }

    [Fact]
    public void EveryOtherSettingIsNamedWithBothValues()
    {
        Save(Config());
        FlowTrainingConfig config = Config() with { LearningRate = 0.004, Noise = new(0.5, 1.1, 0.25, 0.15), Steps = 9 };
        config = config with { Transformer = config.Transformer with { NumLayers = 3 } };
        var exception = Assert.Throws<SoraException>(() => Of(config, "by-day").Compare(Checkpoint));
        Assert.Equal(
            $"{Checkpoint} is of a training with other settings: learning_rate was 0.002 and is 0.004; noise.mean was 0.2 and is 0.5; "
            + "transformer.num_layers was 2 and is 3; world was \"first-edition\" and is \"by-day\". Restore them, or name another run_folder.",
            exception.Message);
    }

    [Fact]
    public void WhatDoesNotChangeTheTrainingMayDifferAndIsTold()
    {
        Save(Config());
        FlowTrainingConfig config = Config() with { Steps = 50, CheckpointMinutes = 2, OutputFolder = "elsewhere", ValidationSteps = 7, SamplePrompts = ["a dog"] };
        Assert.Equal(
            [
                "Resumes with another setting: checkpoint_minutes was 5 and is 2.",
                $"Resumes with another setting: output_folder was \"{Path.Combine(_folder, "model")}\" and is \"elsewhere\".",
                "Resumes with another setting: sample_prompts was [] and is [\"a dog\"].",
                "Resumes with another setting: steps was 5 and is 50.",
                "Resumes with another setting: validation_steps was 500 and is 7.",
            ],
            Of(config).Compare(Checkpoint).Select(note => note.Replace(_folder.Replace("/", "\\/", StringComparison.Ordinal), _folder, StringComparison.Ordinal)));
    }

    // A version that has one setting more reads the checkpoints of one that had it not.
    [Fact]
    public void ASettingThatDidNotExistHadItsDefault()
    {
        SafetensorsWriter.Write(Checkpoint, [], new Dictionary<string, string> { ["config"] = Without("\"caption_dropout\":0.1,") });
        Assert.Empty(Of(Config()).Compare(Checkpoint));
        var exception = Assert.Throws<SoraException>(() => Of(Config() with { CaptionDropout = 0.3 }).Compare(Checkpoint));
        Assert.Contains("caption_dropout was 0.1 and is 0.3", exception.Message, StringComparison.Ordinal);
    }

    public void Dispose() => Directory.Delete(_folder, true);

    private static TrainingSettings Of(FlowTrainingConfig config, string world = "first-edition") => TrainingSettings.Of(
        config,
        new() { Transformer = config.Transformer, TextEncoder = config.TextEncoder, VaeFolder = config.VaeFolder, RunFolder = config.RunFolder, OutputFolder = config.OutputFolder },
        world);

    private FlowTrainingConfig Config() => TinyTraining.Flow(_folder, 5);

    private string Without(string part)
    {
        var metadata = new Dictionary<string, string>();
        Of(Config()).AddTo(metadata);
        Assert.Contains(part, metadata["config"], StringComparison.Ordinal);
        return metadata["config"].Replace(part, "", StringComparison.Ordinal);
    }

    private void Save(FlowTrainingConfig config)
    {
        var metadata = new Dictionary<string, string>();
        Of(config).AddTo(metadata);
        SafetensorsWriter.Write(Checkpoint, [], metadata);
    }
}
