namespace Sora;

/// <summary>
/// A request, file or model that cannot be used as given. The message is one or more sentences for the person who made
/// the request: what was given, what is allowed and the nearest thing that works.
/// </summary>
public class SoraException : Exception
{
    /// <summary>Creates the exception with a message for the person who made the request.</summary>
    public SoraException(string message) : base(message)
    {
    }

    /// <summary>Creates the exception with a message and the error that caused it.</summary>
    public SoraException(string message, Exception innerException) : base(message, innerException)
    {
    }

    /// <summary>Creates the exception with a general message.</summary>
    public SoraException() : base("The request cannot be carried out.")
    {
    }
}
