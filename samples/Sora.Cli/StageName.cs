namespace Sora.Cli;

/// <summary>Stages as the progress display and the summary call them.</summary>
internal static class StageName
{
    public static string Of(GenerationStage stage) => stage switch
    {
        GenerationStage.LoadingModel => "Loading model",
        GenerationStage.EncodingText => "Encoding text",
        GenerationStage.EncodingFrames => "Encoding frames",
        _ => stage.ToString(),
    };
}
