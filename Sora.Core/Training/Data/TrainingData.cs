using System.Text.Json;
using System.Text.Json.Serialization;
using Sora.Weights;

namespace Sora.Training.Data;

/// <summary>What a training is made on: the drawn world, or the videos and images of a folder with their captions.</summary>
/// <remarks>In a training's file: <c>"world"</c>, or an object with <c>folder</c> and the other settings.</remarks>
[JsonConverter(typeof(Reader))]
public sealed record TrainingData
{
    private static readonly ValueRange<double> s_thresholds = new(0.01, 1);
    private static readonly ValueRange<int> s_captions = new(16, 1_000_000);

    /// <summary>The drawn world.</summary>
    public static TrainingData World { get; } = new();

    /// <summary>The folder; null: the drawn world.</summary>
    public string? Folder { get; init; }

    /// <summary>How much a frame must differ from the one before to begin a new shot; see <see cref="ShotDetection"/>.</summary>
    /// <value>0.01 to 1. Default 0.06.</value>
    public double CutThreshold { get; init => field = s_thresholds.Require("cut_threshold", value)!.Value; } = ShotDetection.DefaultThreshold;

    /// <summary>The longest caption in characters; longer ones are cut, with a note.</summary>
    /// <value>16 to 1000000. Default 4000.</value>
    public int LongestCaption { get; init => field = s_captions.Require("longest_caption", value)!.Value; } = VideoFolderOptions.DefaultLongestCaption;

    private sealed class Reader : JsonConverter<TrainingData>
    {
        private static readonly string[] s_known = ["folder", "cut_threshold", "longest_caption"];

        public override TrainingData Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
        {
            using JsonDocument document = JsonDocument.ParseValue(ref reader);
            JsonElement root = document.RootElement;
            if (root.ValueKind == JsonValueKind.String && root.ValueEquals("world"))
                return World;
            if (root.ValueKind != JsonValueKind.Object)
                throw new SoraException($"data is {ConfigFields.Show(root)}; allowed: \"world\" or {{\"folder\": \"...\"}}.");
            var fields = new ConfigFields(root);
            var data = new TrainingData
            {
                Folder = fields.Text("folder"),
                CutThreshold = fields.Number("cut_threshold", World.CutThreshold),
                LongestCaption = fields.Integer("longest_caption", World.LongestCaption),
            };
            return fields.Unknown() is [{ } unknown, ..]
                ? throw new SoraException($"data: the setting '{unknown}' is unknown{(NearestName.Find(unknown, s_known) is { } near ? $"; nearest: {near}" : $"; known: {string.Join(", ", s_known)}")}.")
                : data;
        }

        public override void Write(Utf8JsonWriter writer, TrainingData value, JsonSerializerOptions options)
        {
            if (value.Folder is null)
            {
                writer.WriteStringValue("world");
                return;
            }
            writer.WriteStartObject();
            writer.WriteString("folder", value.Folder);
            writer.WriteNumber("cut_threshold", value.CutThreshold);
            writer.WriteNumber("longest_caption", value.LongestCaption);
            writer.WriteEndObject();
        }
    }
}
